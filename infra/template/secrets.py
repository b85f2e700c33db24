"""How a function names a secret, in its environment and in its role."""

from typing import Any

from infra.template.cloudformation import Json, only_if

CONDITIONAL_SECRETS = {"LocalProviderSecret": "HasLocalPayments", "StripeSecret": "HasStripe"}
# Secrets that an operator has made, by the parameter that names them.
GIVEN_SECRETS = {"StripeSecret": "StripeSecretArn"}


def secret_reference(secret: str) -> Json:
    reference: Json = where_it_is(secret, secret_arn(secret))
    return reference


def where_it_is(secret: str, value: Json) -> Any:
    """The value, in those stacks that have this secret."""
    return only_if(CONDITIONAL_SECRETS.get(secret), value)


def secret_arn(secret: str) -> Json:
    if parameter := GIVEN_SECRETS.get(secret):
        return {"Ref": parameter}
    # `Ref` is the ARN as well, but to the local cloud it is the name, which no policy can hold.
    return {"Fn::GetAtt": [secret, "Id"]}
