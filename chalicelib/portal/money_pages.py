"""What a supplier has coming, what it owes, and the statement of a period."""

from chalicelib.kernel.errors import Invalid
from chalicelib.platform import pages, problems, sheets
from chalicelib.portal import subjects, words
from chalicelib.portal.web import Answer, Download, Pages, Shown, Visit
from chalicelib.supplier_lines import service as supplier_lines
from chalicelib.suppliers import statements
from chalicelib.suppliers.schema import StatementQuery
from chalicelib.suppliers.statements import Period

routes = Pages(__name__)

ENTRIES_A_PAGE = 50


@routes.page("GET", "/supplier/money")
def supplier_money(visit: Visit) -> Answer:
    caller = visit.caller
    problem, status = None, 200
    try:
        period = _period(visit)
    except Invalid as refused:
        period = Period.of(None, None)
        problem, status = words.told(refused), problems.problem(refused).status
    scope = f"supplier money {caller.id} {period.first} {period.last}"
    cursor = visit.query.get("cursor")
    after = pages.read_cursor(scope, cursor) if cursor else None
    statement = statements.statement(caller.id, period, caller, after, ENTRIES_A_PAGE)
    values = {
        "balance": statements.balance(caller.id, caller),
        "statement": statement,
        "lines": subjects.told(caller.id, statement.lines),
        "following": pages.cursor(scope, statement.next_after),
        "problem": problem,
    }
    return Shown("money", values, status)


@routes.page("GET", "/supplier/money/lines/{entry_id}")
def supplier_money_line(visit: Visit, entry_id: str) -> Answer:
    explained = supplier_lines.explain(visit.caller.id, entry_id, visit.caller)
    (told,) = subjects.told(visit.caller.id, [explained.line])
    return Shown("why", {"why": explained, "told": told})


@routes.page("GET", "/supplier/money/statement.csv")
def supplier_statement_file(visit: Visit) -> Answer:
    period = _period(visit)
    text = statements.as_csv(visit.caller.id, period, visit.caller)
    name = f"statement-{period.first}-{period.last}.csv"
    return Download(text, sheets.MEDIA_TYPES["csv"], name)


def _period(visit: Visit) -> Period:
    sent: StatementQuery = visit.asked(StatementQuery, "from", "to")
    return Period.of(sent.first, sent.last)
