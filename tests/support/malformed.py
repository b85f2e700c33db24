"""Signature headers that are no signature, made out of good ones."""

import base64
from collections.abc import Mapping

Headers = dict[str, str]
ID, AT, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

AS_SIGNATURE = {
    "nothing": "",
    "a space": " ",
    "a version alone": "v1",
    "a version and a comma": "v1,",
    "commas": ",,,,",
    "spaces and commas": " , , ",
    "no base64": "v1,!!!!",
    "padding alone": "v1,====",
    "padding in front": "v1,====AAAA",
    "one letter": "v1,a",
    "five letters": "v1,abcde",
    "a word": "v1,null",
    "an object": "[object Object]",
    "a thousand letters": "v1," + "A" * 1_000,
    "a thousand signatures": " ".join(["v1,AAAA"] * 100),
    "letters beyond ASCII": "v1,gr\u00fc\u00dfe",
    "bytes that are no UTF-8": "v1,\xff\xfe\xfd",
    "the hash of nothing": "v1,47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "hexadecimal digits": "v1," + "0f" * 32,
    "as GitHub signs": "sha256=" + "0f" * 32,
    "as Stripe signs": "t=1772443868,v1=" + "0f" * 32,
    "a quoted one": '"v1,AAAA"',
    "an attempt at SQL": "v1,' OR 1=1 --",
    "an attempt at a format": "v1,%s%n{0.__class__}",
}
AS_TIMESTAMP = {
    "nothing": "",
    "a word": "now",
    "below zero": "-1",
    "zero": "0",
    "a power": "1e99",
    "beyond any calendar": "9" * 40,
    "not a number": "NaN",
    "infinity": "inf",
    "hexadecimal": "0x69a5",
    "a date": "2026-03-02T09:31:08Z",
    "letters beyond ASCII": "\xb2\xb3",
}
AS_ID = {"nothing": "", "another": "whd_another", "letters beyond ASCII": "whd_\u00fc"}


def malformed(good: Mapping[str, str]) -> dict[str, Headers]:
    """Each by what is wrong with it."""
    changed = [(SIGNATURE, AS_SIGNATURE), (AT, AS_TIMESTAMP), (ID, AS_ID)]
    replaced = {
        f"{name}: {what}": {**good, name: value}
        for name, values in changed
        for what, value in values.items()
    }
    signature = good[SIGNATURE].removeprefix("v1,")
    from_the_good_one = {
        "no version": signature,
        "another version": f"v2,{signature}",
        "a version in capitals": f"V1,{signature}",
        "another sign between": f"v1:{signature}",
        "a comma behind": f"v1,{signature},",
        "half of it": f"v1,{signature[:20]}",
        "reversed": f"v1,{signature[::-1]}",
        "encoded twice": f"v1,{base64.b64encode(signature.encode()).decode()}",
    }
    missing = {f"no {name}": {n: v for n, v in good.items() if n != name} for name in good}
    return {
        **replaced,
        **{what: {**good, SIGNATURE: value} for what, value in from_the_good_one.items()},
        **missing,
        "no header at all": {},
    }
