"""Account numbers of banks: in one form, or what is wrong with them in words for people."""


def iban(text: str) -> str:
    """Without the blanks that people write it with. ISO 13616: length, form and check digits.

    Raises ValueError.
    """
    from stdnum import iban
    from stdnum.exceptions import InvalidChecksum, ValidationError

    number = str(iban.compact(text))
    wanted = _length_of(number)
    if wanted is None:
        raise ValueError("is of no country that has IBANs")
    if len(number) != wanted:
        country = number[:2]
        raise ValueError(f"has {len(number)} characters; an IBAN of {country} has {wanted}")
    try:
        # Of some countries the library knows which banks there were, and refuses newer ones.
        return str(iban.validate(number, check_country=False))
    except InvalidChecksum:
        raise ValueError("has check digits that do not fit the rest of the IBAN") from None
    except ValidationError:
        raise ValueError("is not formed as IBANs of its country are") from None


def bic(text: str) -> str:
    """Raises ValueError."""
    from stdnum import bic
    from stdnum.exceptions import ValidationError

    try:
        return str(bic.validate(text))
    except ValidationError:
        raise ValueError("is not a BIC of 8 or 11 characters such as COBADEFFXXX") from None


def _length_of(number: str) -> int | None:
    """How long an IBAN of its country is; None where the country has none."""
    import re

    from stdnum import numdb

    of_country = numdb.get("iban").info(number[:2])
    form = of_country[0][1].get("bban", "") if of_country else ""
    parts = re.findall(r"(\d+)!", form)
    return 4 + sum(map(int, parts)) if parts else None
