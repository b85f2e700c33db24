"""Secrets Manager's operations on secrets that are texts."""

from typing import Any

from tests.support.memory.errors import Refused

Json = dict[str, Any]

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"


class Secrets:
    """Texts by name, found by their ARN as well."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def answer(self, operation: str, asked: Json) -> Json:
        if operation == "CreateSecret":
            return self.create(asked["Name"], asked["SecretString"])
        if operation == "PutSecretValue":
            return self._put(asked["SecretId"].removeprefix(ARN), asked["SecretString"])
        if operation == "GetSecretValue":
            return self._get(asked["SecretId"].removeprefix(ARN))
        if operation == "ListSecrets":
            return {"SecretList": [{"Name": name, "ARN": ARN + name} for name in self._texts]}
        raise NotImplementedError(operation)

    def create(self, name: str, text: str) -> Json:
        if name in self._texts:
            raise Refused("ResourceExistsException", "The secret already exists.")
        self._texts[name] = text
        return {"Name": name, "ARN": ARN + name}

    def _put(self, name: str, text: str) -> Json:
        self._check(name)
        self._texts[name] = text
        return {"Name": name, "ARN": ARN + name}

    def _get(self, name: str) -> Json:
        self._check(name)
        return {"Name": name, "ARN": ARN + name, "SecretString": self._texts[name]}

    def _check(self, name: str) -> None:
        if name not in self._texts:
            raise Refused(
                "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
            )
