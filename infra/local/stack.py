"""The deployed local stack: what tools and tests need to know of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra import stack as cloudformation
from infra.failures import Fixable
from infra.installs import shipped_dependencies
from infra.local import cloud as local_cloud
from infra.local import gateway, issuer
from infra.local.cloud import Cloud
from infra.package import package
from infra.paths import LOCAL
from infra.stages import parameters

NAME = "tuan-local"
BUCKET = "tuan-artifacts"
STAGE = "local"
CURRENT = LOCAL / "stack.json"


@dataclass(frozen=True)
class LocalStack:
    """Addresses of a deployed local stack."""

    base_url: str
    port: int
    provider_secret: str

    @property
    def cloud(self) -> Cloud:
        return Cloud(self.port)

    def client(self, service: str) -> Any:
        """A boto3 client of the stack's cloud."""
        return self.cloud.client(service)

    def resource(self, logical_id: str) -> str:
        """The physical name of a resource of the template, such as `OrderingTable`."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=NAME, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def environment(self, function: str = "APIHandler") -> dict[str, str]:
        """The environment that a function has, by its logical id, to run its code in a test."""
        configuration = self.client("lambda").get_function_configuration(
            FunctionName=self.resource(function)
        )
        return {
            **configuration["Environment"]["Variables"],
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_DEFAULT_REGION": local_cloud.REGION,
            **{name.upper(): value for name, value in local_cloud.ADMINISTRATOR.items()},
        }


@contextmanager
def local_stack(port: int | None = None) -> Iterator[LocalStack]:
    """A stack of its own for the time of a `with`, on this port or a free one."""
    cloud = Cloud(port or local_cloud.free_port())
    try:
        yield up(cloud)
    finally:
        local_cloud.stop(cloud)


def up(cloud: Cloud, **chosen: str) -> LocalStack:
    """Start the cloud if need be and deploy what the checkout holds now. Data stays.

    `chosen` are parameters that go before the stage's own.
    """
    local_cloud.start(cloud)
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    packaged = package(STAGE, dependencies=False)
    outputs = cloudformation.deploy(
        packaged,
        cloudformation.Target(NAME, BUCKET, cloud.client, poll_seconds=0.2),
        {**parameters(STAGE), **local_parameters(cloud), **chosen},
        say=lambda _: None,
    )
    gateway.complete(cloud, outputs["RestAPIId"], packaged)
    stack = LocalStack(
        base_url=f"{cloud.endpoint}/restapis/{outputs['RestAPIId']}/api/_user_request_",
        port=cloud.port,
        provider_secret=outputs["LocalProviderSecretArn"],
    )
    write(stack, cloud.deployed)
    return stack


def down(cloud: Cloud) -> None:
    """Stop the cloud; its data goes with it. Another that runs, if any, becomes the current one."""
    local_cloud.stop(cloud)
    if CURRENT.exists() and read(CURRENT).port == cloud.port:
        CURRENT.unlink()
        left = sorted(LOCAL.glob("*/stack.json"), key=lambda path: path.stat().st_mtime)
        if left:
            make_current(read(left[-1]))


def down_all() -> None:
    """Stop every local stack of this checkout."""
    for directory in LOCAL.glob("[0-9]*"):
        down(Cloud(int(directory.name)))


def local_parameters(cloud: Cloud) -> dict[str, str]:
    return {
        "JwtIssuer": issuer.ISSUER,
        "JwtAudience": issuer.AUDIENCE,
        "JwtJwksUrl": issuer.publish(cloud),
        "SharedDependencies": str(shipped_dependencies()),
    }


def make_current(stack: LocalStack) -> None:
    """Make this the stack that `make token`, `make pay` and other tools mean by default."""
    write(stack, CURRENT)


def current(port: int | None = None) -> LocalStack:
    """The stack on a port; by default on `PORT`, or else the one brought up last."""
    chosen = port or local_cloud.chosen_port()
    path = Cloud(chosen).deployed if chosen else CURRENT
    if not path.exists():
        raise none_is_up(chosen)
    return read(path)


def running() -> LocalStack:
    """The current stack. Raises Fixable where its cloud has ended, with the machine perhaps."""
    stack = current()
    if not local_cloud.is_up(stack.cloud):
        raise none_is_up(local_cloud.chosen_port())
    return stack


def none_is_up(port: int | None) -> Fixable:
    if port is None:
        return Fixable("no local stack is up: start one with `make up`")
    others = "".join(f"; there is one on {other}" for other in ports_up())
    return Fixable(f"no local stack is up on {port}{others}: start one with `make up PORT={port}`")


def ports_up() -> list[int]:
    """The ports of all local stacks of this checkout that are up."""
    ports = sorted(int(directory.name) for directory in LOCAL.glob("[0-9]*"))
    return [port for port in ports if local_cloud.is_up(Cloud(port))]


def write(stack: LocalStack, path: Path) -> None:
    path.write_text(json.dumps(asdict(stack), indent=2) + "\n")


def read(path: Path) -> LocalStack:
    return LocalStack(**json.loads(path.read_text()))
