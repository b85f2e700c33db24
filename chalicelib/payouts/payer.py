"""From which account files for banks pay: as the settings say it when a batch is made."""

from chalicelib.kernel.errors import Conflict
from chalicelib.payouts import account_numbers, sepa
from chalicelib.payouts.rules import Method, Payer
from chalicelib.platform.settings import settings

WHERE = "docs/operations.md says how."


def own_iban() -> str:
    """The account that the platform pays from, as parties' are kept; empty where none is set."""
    return settings().payer_iban.replace(" ", "").upper()


def payer_of(currency: str, method: Method) -> Payer | None:
    """Who pays a batch, frozen with it; None where no SEPA transfers are made of it.

    Raises Conflict where the settings name nobody, or an account that cannot be.
    """
    if method != "bank_file" or currency != "EUR":
        return None
    chosen = settings()
    if not (chosen.payer_name and chosen.payer_iban):
        raise Conflict(
            "Nobody has said from which account the platform pays: deploy with the parameters "
            f"PayerName and PayerIban; {WHERE}",
            code="payer_not_set",
        )
    if not sepa.in_sepa(chosen.payer_name):
        raise _not_valid("PayerName has no letter that banks take")
    try:
        iban = account_numbers.iban(chosen.payer_iban)
    except ValueError as error:
        raise _not_valid(f"PayerIban {error}") from None
    try:
        bic = account_numbers.bic(chosen.payer_bic) if chosen.payer_bic else None
    except ValueError as error:
        raise _not_valid(f"PayerBic {error}") from None
    if sepa.why_not(iban, bic) == "not_in_sepa":
        raise _not_valid("PayerIban is of a country that is not in SEPA")
    return Payer(chosen.payer_name, iban, bic)


def _not_valid(said: str) -> Conflict:
    return Conflict(f"{said}: deploy with another; {WHERE}", code="payer_not_valid")
