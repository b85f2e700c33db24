"""What can be done with parties."""

import base64
from dataclasses import dataclass, replace

from chalicelib.kernel import clock, ids
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.parties import rules, terms
from chalicelib.parties import store as parties
from chalicelib.parties.rules import ApiKey, Leader, PickupPoint, Supplier
from chalicelib.parties.store import ApiKeyRow, LeaderRow, SupplierRow
from chalicelib.parties.terms import Terms
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.secrets import derived_key, secret
from chalicelib.platform.transaction import Delete, Put, Recorder, Transaction, create, write


@dataclass(frozen=True)
class IssuedKey:
    """A new API key with its secret text, which is stored nowhere."""

    id: str
    key: str
    created_at: str


def register_supplier(name: str, email: str, currency: str, recorder: Recorder | None) -> Supplier:
    supplier = Supplier(ids.new("sup"), name, email, currency, (), 1, clock.now())
    transaction = Transaction(recorder)
    transaction.add(create(SupplierRow.of(supplier)))
    transaction.commit(supplier)
    return supplier


def register_leader(
    name: str, community: str, pickup_point: PickupPoint, currency: str, recorder: Recorder | None
) -> Leader:
    leader = Leader(ids.new("ldr"), name, community, pickup_point, currency, clock.now())
    transaction = Transaction(recorder)
    transaction.add(create(LeaderRow.of(leader)))
    transaction.commit(leader)
    return leader


def leader(leader_id: str) -> Leader:
    found = parties.get_leader(leader_id)
    if found is None:
        raise NotFound("There is no such leader.")
    return found


@retry_stale
def set_credit_limit(leader_id: str, amount: int | None) -> Leader:
    """From now on the leader may hold at most `amount` of collected cash; None: any amount."""
    before = leader(leader_id)
    write(parties.set_credit_limit(leader_id, amount))
    return replace(before, credit_limit=amount)


def supplier(supplier_id: str) -> Supplier:
    found = parties.get_supplier(supplier_id)
    if found is None:
        raise NotFound("There is no such supplier.")
    return found


def terms_of(supplier_id: str) -> Terms:
    """Raises NotFound."""
    return parties.terms_of([supplier(supplier_id).id])[supplier_id]


@retry_stale
def set_terms(wanted: Terms) -> Terms:
    """Let dispatches that are made from now on have these terms; those made before keep theirs.

    Raises NotFound, and Invalid for terms that cannot be kept.
    """
    before, now = terms_of(wanted.supplier_id), clock.now()
    terms.check(wanted, now.date())
    if before.version and wanted.says_the_same(before):
        return before
    after = replace(wanted, version=before.version + 1, set_at=now)
    write(*parties.set_terms(after))
    return after


@retry_stale
def issue_api_key(supplier_id: str, recorder: Recorder | None) -> IssuedKey:
    """Make a key. Raises Conflict where two are live already."""
    owner = supplier(supplier_id)
    if len(owner.api_keys) >= rules.LIVE_KEYS:
        raise Conflict("Two API keys are live already. Revoke one first.", code="too_many_api_keys")
    key_id = ids.new("key")
    key = api_key(key_id)
    made = ApiKey(key_id, rules.key_hash(key), clock.to_text(clock.now()))
    issued = IssuedKey(key_id, key, made.created_at)
    transaction = Transaction(recorder)
    transaction.add(
        _with_keys(owner, (*owner.api_keys, made)), create(ApiKeyRow.of(made.key_hash, supplier_id))
    )
    transaction.commit(issued)
    return issued


def api_key(key_id: str) -> str:
    """The key itself: it follows from its id and the platform's secret, and is stored nowhere."""
    bits = derived_key(secret("SIGNING_SECRET"), "api key", key_id)
    return rules.API_KEY_PREFIX + base64.urlsafe_b64encode(bits).decode().rstrip("=")


@retry_stale
def revoke_api_key(supplier_id: str, key_id: str) -> None:
    """Refuse the key from now on."""
    owner = supplier(supplier_id)
    revoked = next((key for key in owner.api_keys if key.id == key_id), None)
    if revoked is None:
        raise NotFound("There is no such API key.")
    transaction = Transaction()
    transaction.add(
        _with_keys(owner, tuple(key for key in owner.api_keys if key is not revoked)),
        Delete(ApiKeyRow.of(revoked.key_hash, supplier_id)),
    )
    transaction.commit()


def _with_keys(owner: Supplier, keys: tuple[ApiKey, ...]) -> Put:
    changed = replace(owner, api_keys=keys, version=owner.version + 1)
    return Put(SupplierRow.of(changed), SupplierRow.version == owner.version)
