"""What holds for every route, to be read before the first call."""

BEGINNING = "A serverless backend for community group buying."

# By title; each text is one paragraph, with names and values between backticks.
SECTIONS = {
    "Credentials": (
        "Send `Authorization: Bearer ...` with every call that asks for a role. Operators, leaders "
        "and customers send a JWT of the identity provider; its `role` says which of them it is "
        "and its `sub` who: a leader's `sub` is its `ldr_...` id, a customer's id is its `sub`. "
        "Suppliers send an API key, `tsk_...`."
    ),
    "Repeats": (
        "Send an `Idempotency-Key`, new for each thing to be done, with each POST that takes one. "
        "For 48 hours the same key with the same request gives the first answer again, with "
        "`Idempotent-Replayed: true`, and does nothing twice; so a call whose answer was lost is "
        "made again with its key. A request that was refused leaves its key free."
    ),
    "Lists": (
        "A list has pages of `limit` items, 20 unless told, 100 at most. Send `next_cursor` as "
        "`cursor` to the same path for the next page; it is null on the last one."
    ),
    "Money": (
        "An amount is an integer in the minor unit of its currency: 1118 in `EUR` is 11.18 EUR. "
        "Rates are basis points: 1000 is 10 %. Files that banks and their people read have 11.18: "
        "a payout batch's `/preview` and `/file`, the Beancount journal, a bank's statement."
    ),
    "Instants": (
        "An instant is RFC 3339 with its offset from UTC. Answers are in UTC with milliseconds, "
        "such as `2026-03-01T09:30:00.000Z`. A business date such as `2026-03-01` is a day where "
        "the platform is at home."
    ),
    "Errors": (
        "An error is a problem document (RFC 9457): `detail` is a sentence for people, `code` is "
        "stable, and the `X-Request-Id` of the answer finds it in the logs. 409: the state of "
        "things refuses the request, or those fields of it that `errors` names; read it, then "
        "decide. 422: mend what `errors` names by "
        "`field` and send it again; `idempotency_key_reused` names no field and asks for a new "
        "key. 429 and 503: wait the seconds of `Retry-After`, then send the same request with the "
        "same key."
    ),
}


def description() -> str:
    """The whole guide in CommonMark: paragraphs and titles, parted by blank lines."""
    return "\n\n".join([BEGINNING, *(f"## {title}\n\n{text}" for title, text in SECTIONS.items())])
