"""What MiniStack leaves out when it takes an API's definition: the gateway's own responses.

AWS reads them from the definition. Here they are read from the same packaged template and given
to the local gateway through its API.
"""

import json
from typing import Any

from infra.local.cloud import Cloud
from infra.package import Package


def complete(cloud: Cloud, api_id: str, package: Package) -> None:
    """Make the local gateway answer as the packaged template says."""
    api = json.loads(package.template.read_text())["Resources"]["RestAPI"]["Properties"]
    gateway = cloud.client("apigateway")
    for kind, response in api["GatewayResponses"].items():
        put_response(gateway, api_id, kind, response)
    gateway.create_deployment(restApiId=api_id, stageName=api["StageName"])


def put_response(gateway: Any, api_id: str, kind: str, response: dict[str, Any]) -> None:
    headers = response["ResponseParameters"]["Headers"]
    gateway.put_gateway_response(
        restApiId=api_id,
        responseType=kind,
        statusCode=str(response["StatusCode"]),
        responseParameters={f"gatewayresponse.header.{k}": v for k, v in headers.items()},
        responseTemplates=response["ResponseTemplates"],
    )
