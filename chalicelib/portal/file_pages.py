"""What a supplier has to ship as files, and its file of tracking numbers."""

from typing import Any, cast

from chalicelib.dispatch import exporting, importing
from chalicelib.dispatch.exporting import Wanted
from chalicelib.dispatch.importing import Imported
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.platform import problems, sheets
from chalicelib.platform.sheets import Format
from chalicelib.portal import words
from chalicelib.portal.web import Answer, Download, Pages, Shown, Visit

routes = Pages(__name__)

LISTS = {"lines": "lines", "purchase-list": "purchase"}


@routes.page("GET", "/supplier/files")
def supplier_files(visit: Visit) -> Answer:
    return _files(visit)


@routes.page("GET", "/supplier/files/{name}")
def supplier_download(visit: Visit, name: str) -> Answer:
    """`lines.csv`, `lines.xlsx` or `purchase-list.csv`, of all that waits."""
    which, _, form = name.partition(".")
    if which not in LISTS or form not in sheets.MEDIA_TYPES:
        raise NotFound("There is no such file.")
    exported = exporting.export(Wanted(visit.caller.id, None, _part(visit)), visit.caller)
    text = sheets.written(exported.sheets(LISTS[which]), cast(Format, form))
    kept = exported.name if which == "lines" else which
    return Download(text, sheets.MEDIA_TYPES[cast(Format, form)], f"{kept}.{form}")


@routes.page("POST", "/supplier/files")
def supplier_upload(visit: Visit) -> Answer:
    try:
        if not visit.file:
            raise Invalid("Choose the file with the tracking numbers first.")
        imported = importing.import_tracking(visit.file, visit.caller)
    except Invalid as refused:
        status = problems.problem(refused).status
        return _files(visit, problem=words.told(refused), status=status)
    return _files(visit, imported=imported)


def _part(visit: Visit) -> int:
    """Of the lines, where they are more than one file holds."""
    said = visit.query.get("part", "1")
    if not (said.isascii() and said.isdecimal() and 1 <= int(said) <= exporting.MOST_DISPATCHES):
        raise NotFound("There is no such part.")
    return int(said)


def _files(
    visit: Visit,
    *,
    imported: Imported | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Answer:
    values: dict[str, Any] = {"imported": imported, "problem": problem, "too_many": None}
    try:
        exported = exporting.export(Wanted(visit.caller.id, None), visit.caller)
        values |= {"parts": exported.parts, "rows": len(exported.lines.rows)}
    except Invalid as refused:
        values |= {"parts": 0, "rows": 0, "too_many": words.told(refused)}
    return Shown("files", values, status)
