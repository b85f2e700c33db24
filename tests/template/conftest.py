"""The really packaged application, once for all tests of it."""

import json
from typing import Any

import pytest

from infra.package import Package, package

Json = dict[str, Any]


@pytest.fixture(scope="session")
def packaged() -> Package:
    """What `make deploy STAGE=prod` would upload: the template, and the zip with dependencies."""
    return package("prod", dependencies=True)


@pytest.fixture(scope="session")
def template(packaged: Package) -> Json:
    document: Json = json.loads(packaged.template.read_text())
    return document


@pytest.fixture(scope="session")
def resources(template: Json) -> Json:
    found: Json = template["Resources"]
    return found


@pytest.fixture(scope="session")
def functions(resources: Json) -> Json:
    return of_type(resources, "AWS::Serverless::Function")


def of_type(resources: Json, kind: str) -> Json:
    """The properties of each resource of a type, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == kind
    }
