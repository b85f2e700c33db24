"""Puts a packaged application into CloudFormation: upload, change set, execute, wait."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.failures import Fixable
from infra.package import Package

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")

Say = Callable[[str], None]
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Target:
    """A stack, the bucket its code is uploaded to, and how to reach the cloud they are in."""

    name: str
    bucket: str
    clients: Clients
    poll_seconds: float = 5


def deploy(
    package: Package, target: Target, parameters: Mapping[str, str], say: Say
) -> dict[str, str]:
    """Create the stack, or change it into what was packaged. Returns its outputs.

    Raises Fixable for a parameter that the template does not have.
    """
    require_known(package, parameters)
    cloudformation = target.clients("cloudformation")
    kind = "UPDATE" if exists(cloudformation, target.name) else "CREATE"
    template = template_url(package, target)
    change_set = f"deploy-{int(time.time() * 1000)}"
    cloudformation.create_change_set(
        StackName=target.name,
        ChangeSetName=change_set,
        ChangeSetType=kind,
        TemplateURL=template,
        Capabilities=CAPABILITIES,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    if not has_changes(cloudformation, target, change_set):
        say(f"{target.name} is up to date")
    else:
        execute(cloudformation, target, change_set, kind)
        say(f"{target.name}: {kind.lower()} done")
    return outputs(cloudformation, target.name)


def require_known(package: Package, parameters: Mapping[str, str]) -> None:
    known = json.loads(package.template.read_text())["Parameters"]
    if unknown := sorted(parameters.keys() - known.keys()):
        raise Fixable(
            f"there is no parameter {', '.join(unknown)}: the template has {', '.join(known)}"
        )


def exists(cloudformation: Any, name: str) -> bool:
    """Whether there is a stack to update. One whose creation failed can only be removed."""
    try:
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    if status == "ROLLBACK_COMPLETE":
        raise Fixable(f"the stack {name} could not be created before: delete it, then deploy again")
    return bool(status != "REVIEW_IN_PROGRESS")


def template_url(package: Package, target: Target) -> str:
    """Upload the code and the template that points at it. Both are named by what they hold."""
    s3 = target.clients("s3")
    code_key = upload(s3, target.bucket, "code", "zip", package.code.read_bytes())
    template = json.loads(package.template.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": target.bucket, "Key": code_key}
    key = upload(s3, target.bucket, "template", "json", json.dumps(template).encode())
    return f"{s3.meta.endpoint_url}/{target.bucket}/{key}"


def upload(s3: Any, bucket: str, prefix: str, suffix: str, content: bytes) -> str:
    key = f"{prefix}/{hashlib.sha256(content).hexdigest()[:32]}.{suffix}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def has_changes(cloudformation: Any, target: Target, change_set: str) -> bool:
    waiter = cloudformation.get_waiter("change_set_create_complete")
    try:
        waiter.wait(StackName=target.name, ChangeSetName=change_set, WaiterConfig=patience(target))
    except WaiterError as error:
        answer = error.last_response
        reason = answer.get("StatusReason", "") if isinstance(answer, dict) else ""
        cloudformation.delete_change_set(StackName=target.name, ChangeSetName=change_set)
        if any(words in reason for words in NOTHING_TO_DO):
            return False
        raise Fixable(f"the change set of {target.name} failed: {reason}") from error
    return True


def execute(cloudformation: Any, target: Target, change_set: str, kind: str) -> None:
    cloudformation.execute_change_set(StackName=target.name, ChangeSetName=change_set)
    waiter = cloudformation.get_waiter(f"stack_{kind.lower()}_complete")
    try:
        waiter.wait(StackName=target.name, WaiterConfig=patience(target))
    except WaiterError as error:
        raise Fixable(
            f"{target.name}: {kind.lower()} failed\n{failures(cloudformation, target.name)}"
        ) from error


def patience(target: Target) -> dict[str, float]:
    return {"Delay": target.poll_seconds, "MaxAttempts": int(1800 / target.poll_seconds)}


def failures(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return "\n".join(
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    )


def outputs(cloudformation: Any, name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
