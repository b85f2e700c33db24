"""Who is calling: a role and the party it speaks for (contract, section 2)."""

from dataclasses import dataclass
from typing import Literal

from chalicelib.kernel.errors import Invalid, NotFound

Role = Literal["operator", "leader", "customer", "supplier"]
ROLES: tuple[Role, ...] = ("operator", "leader", "customer", "supplier")


@dataclass(frozen=True)
class Caller:
    """`id` is the `sub` of a person's token, or the supplier that an API key belongs to."""

    role: Role
    id: str

    @property
    def is_operator(self) -> bool:
        return self.role == "operator"

    def asks_for(self, supplier_id: str | None) -> str | None:
        """The supplier that is asked for: where none is named a supplier itself, and for an
        operator all. Raises Invalid where a supplier names another."""
        if self.is_operator:
            return supplier_id
        if supplier_id not in (None, self.id):
            raise Invalid.field("supplier_id", "is not your own")
        return self.id

    def must_be(self, role: Role, party_id: str, what: str) -> None:
        """Raise NotFound unless the caller is that very party or an operator."""
        if not self.is_operator and (self.role, self.id) != (role, party_id):
            raise NotFound(f"There is no such {what}.")
