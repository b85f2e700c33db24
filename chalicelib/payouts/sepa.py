"""What every bank of SEPA takes in ids, names and texts."""

import re

NOT_IN_SEPA = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
LONGEST_NAME = 70


def in_sepa(name: str) -> str:
    """A name in letters that every bank of SEPA takes."""
    from text_unidecode import unidecode

    return NOT_IN_SEPA.sub(".", unidecode(name))[:LONGEST_NAME].strip()
