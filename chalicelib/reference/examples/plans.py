"""Commission plans, their versions, and drafts that are tried."""

from typing import Any

from chalicelib.reference.examples.story import DIFFERENCE_VIEW, LEADER, OTHER_LEADER, PLAN

RULES: list[dict[str, Any]] = [
    {
        "match": {},
        "basis": "sales",
        "rate_bps": 1000,
        "split": [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}],
        "cap": {"day": 50000},
    },
    {
        "match": {"category": "eggs", "level": "gold"},
        "basis": "gross_profit",
        "rate_bps": 4000,
        "floor": {"line": 5},
    },
]
BONUSES: list[dict[str, Any]] = [
    {"kind": "first_order", "amount": 500, "threshold": None},
    {"kind": "campaign_total", "amount": 2000, "threshold": 100000},
]
NO_MATCH: dict[str, Any] = dict.fromkeys(
    ("category", "product_id", "sku_id", "campaign_id", "level")
)
VERSION_VIEW: dict[str, Any] = {
    "plan_id": PLAN,
    "version": 2,
    "effective_from": "2026-04-01",
    "rules": [
        {
            **RULES[0],
            "words": "default",
            "match": NO_MATCH,
            "cap": {"line": None, "order": None, "day": 50000},
            "floor": {"line": None},
        },
        {
            **RULES[1],
            "words": "category:eggs+level:gold",
            "match": {**NO_MATCH, **RULES[1]["match"]},
            "split": [],
            "cap": {"line": None, "order": None, "day": None},
        },
    ],
    "upline": [],
    "bonuses": BONUSES,
    "withdrawn_by": None,
    "withdrawn_at": None,
    "made_by": "op_ines",
    "made_at": "2026-03-09T08:15:20.100Z",
}
COMPARED: dict[str, Any] = {
    "currency": "EUR",
    "earned": 96400,
    "would_earn": 115680,
    "difference": 19280,
    "by_kind": {
        "commission": {"earned": 97000, "would_earn": 116400, "difference": 19400},
        "cap": {"earned": -1600, "would_earn": -3220, "difference": -1620},
        "bonus": {"earned": 1000, "would_earn": 2500, "difference": 1500},
    },
}
CREATE_PLAN: dict[str, Any] = {"name": "Shop owners", "currency": "EUR", "country": "DE"}

EXAMPLES: dict[str, Any] = {
    "DifferenceView": DIFFERENCE_VIEW,
    "AddVersion": {
        "effective_from": "2026-04-01",
        "rules": RULES,
        "upline": [],
        "bonuses": BONUSES,
    },
    "WithdrawVersion": {"drops_levels": []},
    "VersionView": VERSION_VIEW,
    "CreatePlan": CREATE_PLAN,
    "PlanView": {
        "id": PLAN,
        **CREATE_PLAN,
        "is_default": True,
        "versions": [VERSION_VIEW],
        "created_at": "2026-02-27T11:58:12.420Z",
    },
    "SimulatePlan": {
        "rules": [{"match": {}, "basis": "sales", "rate_bps": 1200, "cap": {"day": 50000}}],
        "upline": [],
        "bonuses": [{"kind": "first_order", "amount": 500}],
        "month": "2026-03",
        "leader_ids": [],
    },
    "SimulationView": {
        "id": "sim_019caa0a1a2b7c3d4e5f60718293",
        "plan_id": PLAN,
        "month": "2026-03",
        "status": "completed",
        "percent": 100,
        "orders": 412,
        "lines_without_rule": 0,
        "totals": [COMPARED],
        "leaders": [{"leader_id": LEADER, **COMPARED}],
        "created_at": "2026-04-02T09:00:00.120Z",
        "completed_at": "2026-04-02T09:00:01.480Z",
    },
    "LeaderComparedView": {"leader_id": LEADER, **COMPARED},
    "MakeDefault": {"is_default": True},
    "SetLeaderPlan": {"plan_id": PLAN},
    "EditLeader": {"level": "gold", "pickup_leader_id": OTHER_LEADER},
    "ChangeView": {
        "id": "chg_019caa09f80c5da1427e3b09f618",
        "plan_id": PLAN,
        "leader_id": None,
        "what": "version_added",
        "by": "op_ines",
        "changed_at": "2026-03-09T08:15:20.100Z",
        "differences": [
            {
                "field": "rules.category:eggs+level:gold",
                "before": None,
                "after": "4000 bps of gross_profit, at least 5 a line",
            }
        ],
    },
}
