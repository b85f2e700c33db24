"""A DynamoDB table from its entry in `tables.yml`."""

from infra.template.cloudformation import KEPT_IN_PRODUCTION, Json


def table_resource(table: Json) -> Json:
    indexes: Json = table.get("indexes", {})
    keys = {"pk", "sk"} | {key for hash_, range_, _ in indexes.values() for key in (hash_, range_)}
    properties: Json = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": key_schema("pk", "sk"),
        "AttributeDefinitions": [{"AttributeName": k, "AttributeType": "S"} for k in sorted(keys)],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "DeletionProtectionEnabled": {"Fn::If": ["Production", True, False]},
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = [index_of(n, *i) for n, i in indexes.items()]
    if ttl := table.get("ttl"):
        properties["TimeToLiveSpecification"] = {"AttributeName": ttl, "Enabled": True}
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": KEPT_IN_PRODUCTION,
        "UpdateReplacePolicy": KEPT_IN_PRODUCTION,
        "Properties": properties,
    }


def index_of(name: str, hash_key: str, range_key: str, projection: str) -> Json:
    return {
        "IndexName": name,
        "KeySchema": key_schema(hash_key, range_key),
        "Projection": {"ProjectionType": projection},
    }


def key_schema(hash_key: str, range_key: str) -> list[Json]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]
