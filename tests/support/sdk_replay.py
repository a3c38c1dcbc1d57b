"""Any operation through the official SDK, unmodified: with its own request class, models and method."""

import re
from typing import Any

import huaweicloudsdkmodelarts.v1 as models
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkmodelarts.v1 import ListNotebooksRequest, ModelArtsClient
from keystoneauth1 import session as keystone
from keystoneauth1.identity import v3

from support.client import Caller
from support.contract import OPERATION_IDS, snake
from support.stage import PROJECT, PUBLISHED_PASSWORD, Prepared

_LIST = re.compile(r"list\[(.*)\]")
METHODS: dict[str, str] = {one: snake(one) for one in OPERATION_IDS if hasattr(ModelArtsClient, snake(one))}
# No method of the SDK: its credentials make the one call by themselves, the library keystoneauth1 the other.
IDENTITY = {
    "KeystoneListProjects": "by its credentials",
    "KeystoneCreateUserTokenByPassword": "by keystoneauth1",
}


def client_of(caller: Caller) -> ModelArtsClient:
    credentials = BasicCredentials(caller.access_key, caller.secret_key, caller.project_id)
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    return builder.with_endpoint(_endpoint(caller)).build()


def _endpoint(caller: Caller) -> str:
    return f"http://127.0.0.1:{caller.port}"


def call(caller: Caller, prepared: Prepared) -> Any:
    """The answer of the SDK, or the exception it raises."""
    name = prepared.operation.id
    kind = getattr(models, f"{name}Request")
    given: dict[str, Any] = {**prepared.words, **prepared.query}
    attributes = {wire: attribute for attribute, wire in kind.attribute_map.items()}
    fields = {attributes[wire]: value for wire, value in given.items()}
    if prepared.body is not None and "body" in kind.openapi_types:
        fields["body"] = model(kind.openapi_types["body"], prepared.body)
    return getattr(client_of(caller), METHODS[name])(kind(**fields))


def model(kind: str, value: Any) -> Any:
    """JSON as the model of this name; what the SDK has no field for is left out, as a user of it must."""
    items = _LIST.fullmatch(kind)
    if items is not None:
        return [model(items[1], item) for item in value]
    made = getattr(models, kind, None)
    if made is None:
        return value
    attributes = {wire: attribute for attribute, wire in made.attribute_map.items()}
    known = {attributes[wire]: item for wire, item in value.items() if wire in attributes}
    return made(**{name: model(made.openapi_types[name], item) for name, item in known.items()})


def list_by_region(caller: Caller) -> Any:
    """The SDK looks up the project by the name of the region: its call of KeystoneListProjects."""
    credentials = BasicCredentials(caller.access_key, caller.secret_key).with_iam_endpoint(_endpoint(caller))
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    client = builder.with_region(Region(PROJECT, _endpoint(caller))).build()
    return client.list_notebooks(ListNotebooksRequest())


def keystone_token(caller: Caller, user: str) -> tuple[str | None, str | None]:
    """Token and project that keystoneauth1 gets with a password."""
    auth = v3.Password(
        auth_url=f"{_endpoint(caller)}/v3", username=user, password=PUBLISHED_PASSWORD,
        user_domain_name="acme", project_id=caller.project_id,
    )  # fmt: skip
    opened = keystone.Session(auth=auth)
    return opened.get_token(), opened.get_project_id()
