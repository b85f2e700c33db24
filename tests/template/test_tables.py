"""The template's tables are those that the code's models describe."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pynamodb.constants import STRING

import chalicelib
from chalicelib.platform.table import EntityRow, Row
from infra.template.functions import variable
from tests.template.conftest import of_type

Json = dict[str, Any]
Index = tuple[str, str, str]


@pytest.fixture(scope="session")
def tables(resources: Json) -> Json:
    """The tables' properties by the environment variable that names the table."""
    found = of_type(resources, "AWS::DynamoDB::Table")
    return {variable(name): properties for name, properties in found.items()}


def test_tables_are_on_demand_encrypted_and_recoverable(tables: Json) -> None:
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_tables_and_their_data_outlive_the_production_stack(resources: Json, tables: Json) -> None:
    for table in tables.values():
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["Production", True, False]}
    for resource in resources.values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            assert resource["DeletionPolicy"] == {"Fn::If": ["Production", "Retain", "Delete"]}
            assert resource["UpdateReplacePolicy"] == resource["DeletionPolicy"]


def test_every_table_has_a_model_and_every_model_a_table(tables: Json) -> None:
    assert set(models_by_table()) == set(tables)


def test_keys_agree_with_the_models(tables: Json) -> None:
    for name, models in models_by_table().items():
        for model in models:
            assert keys(tables[name]["KeySchema"]) == ("pk", "sk")
            assert model.pk.attr_type == model.sk.attr_type == STRING


def test_indexes_agree_with_the_models(tables: Json) -> None:
    for name, models in models_by_table().items():
        declared = template_indexes(tables[name])
        used = dict(index for model in models for index in model_indexes(model))
        assert used == declared, name


def test_an_attribute_that_expires_items_is_a_number_of_the_model(tables: Json) -> None:
    for name, models in models_by_table().items():
        expiry = tables[name].get("TimeToLiveSpecification", {}).get("AttributeName")
        types = {
            attribute.attr_type
            for model in models
            for attribute in model.get_attributes().values()
            if attribute.attr_name == "ttl"
        }
        assert types == ({"N"} if expiry == "ttl" else set()), name


def models_by_table() -> dict[str, list[type[Row]]]:
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        importlib.import_module(module.name)
    found: dict[str, list[type[Row]]] = {}
    for model in descendants(Row):
        if model is not EntityRow and "Meta" in vars(model):
            meta: Any = model.Meta
            found.setdefault(meta.variable, []).append(model)
    return found


def descendants(model: type[Row]) -> Iterator[type[Row]]:
    for child in model.__subclasses__():
        yield child
        yield from descendants(child)


def model_indexes(model: type[Row]) -> Iterator[tuple[str, Index]]:
    for index in model._indexes.values():
        schema = index._get_schema()
        hash_key, range_key = keys(
            [
                {"AttributeName": k["AttributeName"], "KeyType": k["KeyType"]}
                for k in schema["key_schema"]
            ]
        )
        projection = schema["projection"]["ProjectionType"]
        yield index.Meta.index_name, (hash_key, range_key, projection)


def template_indexes(table: Json) -> dict[str, Index]:
    return {
        index["IndexName"]: (*keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
        for index in table.get("GlobalSecondaryIndexes", ())
    }


def keys(schema: list[Json]) -> tuple[str, str]:
    by_kind = {key["KeyType"]: key["AttributeName"] for key in schema}
    return by_kind["HASH"], by_kind["RANGE"]
