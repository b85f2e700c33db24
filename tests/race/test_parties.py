"""API keys, when many are asked for at once."""

from collections import Counter

from tests.support.at_once import THREADS, at_once, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.unguarded import unguarded
from tests.support.world import Api, World, created


def ask_for_keys(world: World) -> tuple[Counter[str], list[str], str]:
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/api-keys"
    answers = at_once([lambda: world.operator.post(path)] * THREADS)
    return outcomes(answers), [each.json["key"] for each in answers if each.status == 201], path


@ALSO_IN_MEMORY
def test_two_api_keys_live_at_a_time_however_many_are_asked_for(world: World) -> None:
    answered, keys, path = ask_for_keys(world)
    assert answered == {"201": 2, "409 too_many_api_keys": 14}
    assert len(world.operator.get(path).json["items"]) == 2
    works = [Api(world.gateway, key).get("/v1/products").status for key in keys]
    assert works == [200, 200]


@IN_MEMORY
def test_control_the_rig_catches_a_third_api_key(world: World) -> None:
    with unguarded():
        answered, _, _ = ask_for_keys(world)
    assert answered == {"201": THREADS}


def test_a_key_revoked_sixteen_times_at_once_is_gone_and_the_other_stays(world: World) -> None:
    path = f"/v1/suppliers/{world.add_supplier()}/api-keys"
    keys = [created(world.operator.post(path))["key"] for _ in range(2)]
    first, second = world.operator.get(path).json["items"]
    answers = at_once([lambda: world.operator.delete(f"{path}/{first['id']}")] * THREADS)
    assert outcomes(answers) == {"204": 1, "404 not_found": 15}
    assert [each["id"] for each in world.operator.get(path).json["items"]] == [second["id"]]
    statuses = sorted(Api(world.gateway, key).get("/v1/products").status for key in keys)
    assert statuses == [200, 401]
