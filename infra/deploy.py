"""Deploys to AWS: `python -m infra.deploy STAGE [PARAMETER=value ...]`.

boto3 finds the credentials. Parameters given here go before those of `infra/stages/`.

The same template as everywhere; the zip holds the dependencies too. `AWS_ENDPOINT_URL` sends it
to another cloud that speaks AWS's language, which is how it is tried without an account.
"""

import os
import sys
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.failures import Fixable, exit_code_of
from infra.package import package
from infra.stack import Target, deploy
from infra.stages import STAGES, given, parameters

NEEDED = ("JwtIssuer", "JwtAudience", "JwtJwksUrl")
DEPLOYABLE = tuple(stage for stage in STAGES if stage != "local")


def main() -> None:
    stage, *arguments = sys.argv[1:] or [""]
    if stage not in DEPLOYABLE:
        raise Fixable(f"STAGE is one of {', '.join(DEPLOYABLE)}: make deploy STAGE=dev")
    chosen = {**parameters(stage), **given(arguments)}
    if missing := [name for name in NEEDED if not chosen.get(name)]:
        raise Fixable(how_to_give(stage, missing))
    try:
        deploy_to_aws(stage, chosen)
    except (BotoCoreError, ClientError) as error:
        raise Fixable(f"AWS refused: {error}") from error


def how_to_give(stage: str, missing: list[str]) -> str:
    values = " ".join(f"{name}=..." for name in missing)
    return (
        f"{', '.join(missing)} must be given: fill them in in infra/stages/{stage}.json, "
        f'or say `make deploy STAGE={stage} PARAMETERS="{values}"`'
    )


def deploy_to_aws(stage: str, chosen: dict[str, str]) -> None:
    # boto3 itself looks only at AWS_DEFAULT_REGION and the profile.
    session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))
    if session.region_name is None:
        raise Fixable("name a region: AWS_REGION=eu-west-1 make deploy ...")
    account = session.client("sts").get_caller_identity()["Account"]
    say = partial(print, flush=True)
    say(f"packaging for {stage} ...")
    packaged = package(stage, dependencies=True)
    bucket = f"tuan-artifacts-{account}-{session.region_name}"
    make_private_bucket(session.client("s3"), bucket, session.region_name)
    say(f"deploying tuan-{stage} to account {account} in {session.region_name} ...")
    outputs = deploy(packaged, Target(f"tuan-{stage}", bucket, session.client), chosen, say)
    say(f"the API is at {outputs['ApiUrl']}")


def make_private_bucket(s3: Any, bucket: str, region: str) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **({} if region == "us-east-1" else elsewhere))
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
