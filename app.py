"""The Chalice app: the authorizer, and each domain's routes and workers registered. It is what is
packaged; the API's function loads it a path at a time, by `chalicelib/entry.py`."""

from chalice.app import Chalice

from chalicelib.aftersales import routes as aftersales
from chalicelib.aftersales import workers as aftersales_workers
from chalicelib.audit import routes as audit
from chalicelib.audit import workers as audit_workers
from chalicelib.cases import routes as cases
from chalicelib.catalogue import routes as catalogue
from chalicelib.chargebacks import routes as chargebacks
from chalicelib.deadletters import routes as deadletters
from chalicelib.dispatch import routes as dispatch
from chalicelib.dispatch import workers as dispatch_workers
from chalicelib.leader_lines import routes as leader_lines
from chalicelib.leaving import routes as leaving
from chalicelib.leaving import workers as leaving_workers
from chalicelib.ledger import routes as ledger
from chalicelib.ledger import workers as ledger_workers
from chalicelib.ordering import routes as ordering
from chalicelib.ordering import workers as ordering_workers
from chalicelib.parties import routes as parties
from chalicelib.parties.authorizer import authorizers
from chalicelib.payments import routes as payments
from chalicelib.payments import workers as payments_workers
from chalicelib.payouts import hold_routes as payout_holds
from chalicelib.payouts import routes as payouts
from chalicelib.payouts import workers as payouts_workers
from chalicelib.plans import routes as plans
from chalicelib.platform import outbox_worker
from chalicelib.portal import (
    account_pages,
    delivery_pages,
    dispatch_pages,
    file_pages,
    money_pages,
)
from chalicelib.portal import routes as portal
from chalicelib.reconciliation import routes as reconciliation
from chalicelib.reconciliation import workers as reconciliation_workers
from chalicelib.reference import routes as reference
from chalicelib.settlement import routes as settlement
from chalicelib.settlement import workers as settlement_workers
from chalicelib.simulation import routes as simulation
from chalicelib.simulation import workers as simulation_workers
from chalicelib.stock import routes as stock
from chalicelib.stock import workers as stock_workers
from chalicelib.supplier_lines import routes as supplier_lines
from chalicelib.suppliers import routes as suppliers
from chalicelib.suppliers import workers as suppliers_workers
from chalicelib.webhooks import routes as webhooks
from chalicelib.webhooks import workers as webhooks_workers

app = Chalice(app_name="tuan", configure_logs=False)

app.register_blueprint(authorizers)

for domain in (
    parties,
    plans,
    simulation,
    catalogue,
    stock,
    ordering,
    payments,
    payouts,
    payout_holds,
    reconciliation,
    dispatch,
    aftersales,
    chargebacks,
    leaving,
    settlement,
    leader_lines,
    suppliers,
    supplier_lines,
    ledger,
    audit,
    webhooks,
    cases,
    deadletters,
    reference,
    portal,
    dispatch_pages,
    delivery_pages,
    file_pages,
    money_pages,
    account_pages,
):
    app.register_blueprint(domain.routes)

for domain in (
    stock_workers,
    ordering_workers,
    payments_workers,
    payouts_workers,
    reconciliation_workers,
    dispatch_workers,
    aftersales_workers,
    leaving_workers,
    settlement_workers,
    suppliers_workers,
    simulation_workers,
    ledger_workers,
    audit_workers,
    webhooks_workers,
    outbox_worker,
):
    app.register_blueprint(domain.workers)
