"""`/v1/commission-plans`, and by which plan a leader earns."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.parties.rules import Leader
from chalicelib.parties.schema import LeaderView
from chalicelib.plans import leaders, schema, service
from chalicelib.plans import store as plans
from chalicelib.plans.changes import Change
from chalicelib.plans.rules import Plan
from chalicelib.plans.schema import (
    AddVersion,
    ChangeView,
    CreatePlan,
    EditLeader,
    MakeDefault,
    PlanView,
    SetLeaderPlan,
    VersionView,
    WithdrawVersion,
)
from chalicelib.plans.service import NewVersion
from chalicelib.platform.endpoints import Request, number_in_path
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Commission plans", authorizer=authorizer)


def _shown(plan: Plan) -> PlanView:
    said = {name: value for name, value in vars(plan).items() if name in PlanView.model_fields}
    return PlanView(**{**said, "versions": [schema.shown(each) for each in plan.versions]})


@routes.endpoint(
    "POST",
    "/v1/commission-plans",
    summary="Make a commission plan, which says nothing before it has a version",
    roles=("operator",),
    body=CreatePlan,
    answer=PlanView,
    status=201,
    key="optional",
)
def create_plan(request: Request) -> PlanView:
    sent: CreatePlan = request.body
    made = service.create_plan(
        sent.name, sent.currency, sent.country, request.caller, request.recorder(_shown)
    )
    return _shown(made)


@routes.endpoint(
    "GET",
    "/v1/commission-plans",
    summary="List commission plans",
    roles=("operator",),
    answer=PlanView,
    is_list=True,
)
def list_plans(request: Request) -> Page[PlanView]:
    return plans.plans(request.page).map(service.shown).map(_shown)


@routes.endpoint(
    "GET",
    "/v1/commission-plans/{id}",
    summary="Read a commission plan",
    roles=("operator",),
    answer=PlanView,
)
def read_plan(request: Request, id: str) -> PlanView:
    return _shown(service.plan_of(id))


@routes.endpoint(
    "POST",
    "/v1/commission-plans/{id}/versions",
    summary="Say what a plan pays from a business date on",
    notes="A version is never edited, and an order keeps the one that it was placed under; one "
    "that has not begun can be withdrawn, whose day is free then. Of the "
    "rules that fit a line the most specific wins: one that names the SKU before one that does "
    "not, then the product, the campaign, the category, the leader's level. A level that the "
    "version before has is dropped only where `drops_levels` names it. Uplines are for plans of a "
    "country whose law the platform's settings know to allow them.",
    roles=("operator",),
    body=AddVersion,
    answer=VersionView,
    status=201,
    key="optional",
    errors={
        "levels_dropped": 422,
        "too_many_versions_to_come": 409,
        "upline_not_allowed": 422,
        "versions_overlap": 409,
    },
)
def add_version(request: Request, id: str) -> VersionView:
    sent: AddVersion = request.body
    new = NewVersion(
        sent.effective_from,
        schema.rules_of(sent),
        schema.upline_of(sent),
        schema.bonuses_of(sent),
        sent.drops_levels,
    )
    return schema.shown(
        service.add_version(id, new, request.caller, request.recorder(schema.shown))
    )


@routes.endpoint(
    "GET",
    "/v1/commission-plans/{id}/versions",
    summary="List all versions that a plan has had, or will have",
    roles=("operator",),
    answer=VersionView,
    is_list=True,
)
def list_versions(request: Request, id: str) -> Page[VersionView]:
    return service.versions_of(id, request.page).map(schema.shown)


@routes.endpoint(
    "POST",
    "/v1/commission-plans/{id}/versions/{version}/withdraw",
    summary="Take back a version that has not begun",
    notes="What was in force before it stays so. The version stays in the list, with who withdrew "
    "it; its day is free for another one.",
    roles=("operator",),
    body=WithdrawVersion,
    answer=VersionView,
    key="optional",
    errors={"levels_dropped": 422, "version_begun": 409},
)
def withdraw_version(request: Request, id: str, version: str) -> VersionView:
    withdrawn = service.withdraw_version(
        id,
        number_in_path(version, "version"),
        request.body.drops_levels,
        request.caller,
        request.recorder(schema.shown),
    )
    return schema.shown(withdrawn)


@routes.endpoint(
    "PUT",
    "/v1/commission-plans/{id}/default",
    summary="Let leaders for whom no plan is set earn by this one",
    notes="There is one default for each currency, and one without a currency for leaders of all "
    "others; making one the default takes the place of the one before.",
    roles=("operator",),
    body=MakeDefault,
    answer=PlanView,
)
def make_default(request: Request, id: str) -> PlanView:
    sent: MakeDefault = request.body
    return _shown(service.set_default(id, request.caller, is_default=sent.is_default))


@routes.endpoint(
    "GET",
    "/v1/commission-plans/{id}/changes",
    summary="List who changed what of a plan and of the leaders under it",
    roles=("operator",),
    answer=ChangeView,
    is_list=True,
)
def list_changes(request: Request, id: str) -> Page[Change]:
    return service.changes_of(id, request.page)


@routes.endpoint(
    "PUT",
    "/v1/leaders/{id}/commission-plan",
    summary="Set by which plan a leader earns",
    notes="A plan that has levels must have the leader's; `level` changes it together with the "
    "plan.",
    roles=("operator",),
    body=SetLeaderPlan,
    answer=LeaderView,
    errors={"currency_mismatch": 422},
)
def set_leader_plan(request: Request, id: str) -> Leader:
    sent: SetLeaderPlan = request.body
    return leaders.set_plan(id, sent.model_dump(exclude_unset=True), request.caller)


@routes.endpoint(
    "PATCH",
    "/v1/leaders/{id}",
    summary="Set what commission plans look at of a leader",
    roles=("operator",),
    body=EditLeader,
    answer=LeaderView,
    errors={"currency_mismatch": 422, "has_invited_others": 409},
)
def edit_leader(request: Request, id: str) -> Leader:
    sent: EditLeader = request.body
    return leaders.set_terms(id, sent.model_dump(exclude_unset=True), request.caller)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/commission-changes",
    summary="List who changed what a leader earns by",
    roles=("operator",),
    answer=ChangeView,
    is_list=True,
)
def list_leader_changes(request: Request, id: str) -> Page[Change]:
    return leaders.changes_of(id, request.page)
