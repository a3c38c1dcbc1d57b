"""The official Python SDK, unmodified, pointed at a service under test."""

from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkmodelarts.v1 import (
    CreateNotebookRequest,
    ListImageRequest,
    ModelArtsClient,
    NotebookCreateRequest,
    ShowNotebookRequest,
    VolumeMountRequest,
)

from support.service import Service, wait_for

FLAVOR = "modelarts.vm.cpu.1u"
FAILED = ("CREATE_FAILED", "START_FAILED", "DELETE_FAILED", "ERROR")


def connect(
    service: Service, access_key: str | None = None, secret_key: str | None = None
) -> ModelArtsClient:
    """A client with the administrator's key, or another one."""
    own = service.credentials
    credentials = BasicCredentials(
        access_key or own["access_key"], secret_key or own["secret_key"], own["project_id"]
    )
    config = HttpConfig.get_default_config()
    config.ssl_ca_cert = None if service.certificate is None else str(service.certificate)
    builder = ModelArtsClient.new_builder().with_http_config(config).with_credentials(credentials)
    return builder.with_endpoint(service.endpoint).build()


def create(client: ModelArtsClient, **fields: Any) -> Any:
    """A notebook with a work volume of 5 GB and the built-in image, unless `fields` say otherwise."""
    defaults = {
        "name": "notebook",
        "flavor": FLAVOR,
        "image_id": client.list_image(ListImageRequest()).data[0].id,
        "volume": VolumeMountRequest(category="EVS", ownership="MANAGED", capacity=5),
    }
    body = NotebookCreateRequest(**defaults | fields)
    return client.create_notebook(CreateNotebookRequest(body=body))


def show(client: ModelArtsClient, notebook_id: str) -> Any:
    return client.show_notebook(ShowNotebookRequest(id=notebook_id))


def wait_until(client: ModelArtsClient, notebook_id: str, status: str, seconds: float = 60) -> Any:
    """The notebook once it has this status; any failed status it should not have ends the wait."""

    def check() -> Any:
        now = show(client, notebook_id)
        assert now.status == status or now.status not in FAILED, f"{now.status}: {now.fail_reason}"
        return now if now.status == status else None

    return wait_for(f"{notebook_id} to be {status}", check, seconds)


def wait_until_gone(client: ModelArtsClient, notebook_id: str) -> exceptions.ClientRequestException:
    """The error that showing it raises once it is deleted."""

    def check() -> exceptions.ClientRequestException | None:
        try:
            show(client, notebook_id)
        except exceptions.ClientRequestException as error:
            return error
        return None

    return wait_for(f"{notebook_id} to be gone", check)


def client_of(service: Service, access_key: str, secret_key: str, project_id: str) -> ModelArtsClient:
    """A client of somebody else, in any project."""
    credentials = BasicCredentials(access_key, secret_key, project_id)
    return ModelArtsClient.new_builder().with_credentials(credentials).with_endpoint(service.endpoint).build()
