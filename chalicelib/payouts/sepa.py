"""What SEPA takes: accounts of its countries, and names in the letters that its banks share."""

import re

from chalicelib.payouts.rules import WhyNotSepa

# Countries of IBANs by the European Payments Council's list of SEPA's geographical scope,
# EPC409-09, of May 2025, which added Serbia. The law by which an IBAN is enough, article 5 of
# Regulation (EU) No 260/2012, is the European Economic Area's; elsewhere banks want a BIC.
IN_EEA = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"),
        *("IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)
WITH_BIC = frozenset(("AD", "AL", "CH", "GB", "GI", "MC", "MD", "ME", "MK", "RS", "SM", "VA"))
NOT_IN_SEPA = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
LONGEST_NAME = 70


def in_sepa(name: str) -> str:
    """A name in letters that every bank of SEPA takes."""
    from text_unidecode import unidecode

    return NOT_IN_SEPA.sub(".", unidecode(name))[:LONGEST_NAME].strip()


def why_not(iban: str, bic: str | None) -> WhyNotSepa | None:
    """Why no SEPA transfer can be sent to an account; None where one can."""
    country = iban[:2]
    if country in IN_EEA:
        return None
    if country not in WITH_BIC:
        return "not_in_sepa"
    return None if bic else "bic_missing"
