"""Typed calls to a running service, signed with an access key; derived from the table of operations.

What our own command line uses. It knows the wire and nothing else of the service; any other client of the
contract can do the same.
"""

import os
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from yarl import URL

from nbfleet.wire import signing
from nbfleet.wire.enums import VolumeCategoryInput, VolumeOwnershipInput
from nbfleet.wire.errors import ErrorResponse
from nbfleet.wire.extensions import NotebookLog
from nbfleet.wire.flavors import ListFlavorsResponse
from nbfleet.wire.images import ListImageResponse
from nbfleet.wire.leases import Lease
from nbfleet.wire.notebooks import (
    ListNotebooksResponse,
    NotebookCreateRequest,
    NotebookResp,
    NotebookUpdateRequest,
)
from nbfleet.wire.operations import by_id
from nbfleet.wire.volumes import VolumeMountRequest

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=60)
_AGENT = "nbfleet-client"


class Credentials(Protocol):
    """Where the service is and who asks; a credentials.json holds all of it."""

    @property
    def endpoint(self) -> str: ...
    @property
    def project_id(self) -> str: ...
    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...


class ClientError(Exception):
    """The service refused; `code` and `message` are its own words."""

    def __init__(self, status: int, code: str, message: str, request_id: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id


class Unreachable(Exception):
    """No answer came from the endpoint."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"{endpoint} cannot be reached: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class BrokenOff(Exception):
    """An answer that comes in pieces ended before it was whole."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"The connection to {endpoint} was lost on the way")


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    content: bytes
    headers: Mapping[str, str]


class Client:
    """`async with Client(credentials) as client: ...`; `ca_file` is trusted besides the system's own."""

    def __init__(self, credentials: Credentials, *, ca_file: str | None = None) -> None:
        self._credentials = credentials
        self._endpoint = credentials.endpoint.rstrip("/")
        self._host = urlsplit(self._endpoint).netloc
        context = ssl.create_default_context()
        if ca_file:
            context.load_verify_locations(cafile=ca_file)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The decoded answer of the operation; None where it has no body."""
        raw = await self.call_raw(operation_id, path=path, query=query, body=body, headers=headers)
        answer = by_id(operation_id).answer
        return None if answer is None else msgspec.json.decode(raw, type=answer)

    async def call_raw(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The answer as it came; raises ClientError and Unreachable."""
        request = self._request(operation_id, path or {}, query or {}, body, headers or {})
        try:
            async with self._answer(request, _TIMEOUT) as answer:
                return await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise Unreachable(self._endpoint, _reason(fault)) from fault

    async def stream(
        self, operation_id: str, *, query: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The answer piece by piece, however long it takes as long as something comes; raises BrokenOff
        besides."""
        request = self._request(operation_id, {}, query or {}, None, {})
        begun = False
        try:
            async with self._answer(request, _STREAM_TIMEOUT) as answer:
                async for piece in answer.content.iter_any():
                    begun = True
                    yield piece
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            if begun:
                raise BrokenOff(self._endpoint) from fault
            raise Unreachable(self._endpoint, _reason(fault)) from fault

    def _request(
        self,
        operation_id: str,
        path: Mapping[str, str],
        query: Mapping[str, Any],
        body: Any,
        headers: Mapping[str, str],
    ) -> _Request:
        operation = by_id(operation_id)
        values = {"project_id": self._credentials.project_id, **path}
        target = operation.path.format(**{name: quote(value, safe="") for name, value in values.items()})
        text = _query_string(query)
        content = b"" if body is None else msgspec.json.encode(body)
        signed = self._signed(operation.method, target, text, content, headers)
        url = f"{self._endpoint}{target}" + (f"?{text}" if text else "")
        return _Request(operation.method, url, content, signed)

    def _signed(
        self, method: str, target: str, query: str, content: bytes, headers: Mapping[str, str]
    ) -> dict[str, str]:
        sent = {
            "Host": self._host,
            "User-Agent": _AGENT,
            "Content-Type": "application/json",
            "X-Project-Id": self._credentials.project_id,
            **headers,
        }
        request = signing.Request(
            method,
            target.encode(),
            query.encode(),
            [(name.encode(), value.encode()) for name, value in sent.items()],
            content,
        )
        keys = self._credentials
        return sent | signing.sign(request, keys.access_key, keys.secret_key, datetime.now(UTC))

    @asynccontextmanager
    async def _answer(
        self, request: _Request, timeout: aiohttp.ClientTimeout
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        # The query is encoded already, exactly as it was signed.
        exact = URL(request.url, encoded=True)
        async with self._session.request(
            request.method, exact, data=request.content, headers=request.headers, timeout=timeout,
            allow_redirects=False,
        ) as answer:  # fmt: skip
            if answer.status >= 300:
                raise _refusal(answer.status, await answer.read(), answer.headers.get("X-Request-Id", ""))
            yield answer

    async def create_notebook(
        self,
        name: str,
        *,
        flavor: str | None = None,
        image_id: str | None = None,
        category: str = "EVS",
        size: int | None = None,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> NotebookResp:
        """A new notebook of the first flavor and image unless others are named. `size` in GB."""
        volume = VolumeMountRequest(
            category=VolumeCategoryInput(category),
            ownership=VolumeOwnershipInput.MANAGED,
            capacity=msgspec.UNSET if size is None else size,
        )
        body = NotebookCreateRequest(
            name=name,
            flavor=flavor or (await self.list_flavors()).data[0].id,
            image_id=image_id or str((await self.list_images()).data[0].id),
            volume=volume,
            **fields,
        )
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return await self.call("CreateNotebook", body=body, headers=headers)

    async def show_notebook(self, notebook_id: str) -> NotebookResp:
        return await self.call("ShowNotebook", path={"id": notebook_id})

    async def start_notebook(self, notebook_id: str, **query: Any) -> NotebookResp:
        return await self.call("StartNotebook", path={"id": notebook_id}, query=query)

    async def stop_notebook(self, notebook_id: str) -> NotebookResp:
        return await self.call("StopNotebook", path={"id": notebook_id})

    async def delete_notebook(self, notebook_id: str) -> NotebookResp:
        return await self.call("DeleteNotebook", path={"id": notebook_id})

    async def update_notebook(self, notebook_id: str, **changes: Any) -> NotebookResp:
        """`changes` are the fields of NotebookUpdateRequest."""
        body = NotebookUpdateRequest(**changes)
        return await self.call("UpdateNotebook", path={"id": notebook_id}, body=body)

    async def freeze_notebook(self, notebook_id: str) -> NotebookResp:
        return await self.call("FreezeNotebook", path={"id": notebook_id})

    async def unfreeze_notebook(self, notebook_id: str) -> NotebookResp:
        return await self.call("UnfreezeNotebook", path={"id": notebook_id})

    async def renew_lease(self, notebook_id: str, duration: int) -> Lease:
        """`duration` in milliseconds from now, -1 to switch auto-stop off."""
        return await self.call("RenewLease", path={"id": notebook_id}, query={"duration": duration})

    async def list_notebooks(self, *, everybody: bool = False, **query: Any) -> ListNotebooksResponse:
        """One page; the parameters are those of the contract."""
        return await self.call("ListAllNotebooks" if everybody else "ListNotebooks", query=query)

    async def list_flavors(self) -> ListFlavorsResponse:
        return await self.call("ListFlavors", query={"sort_dir": "ASC"})

    async def list_images(self) -> ListImageResponse:
        return await self.call("ListImage")

    async def notebook_log(self, notebook_id: str, lines: int) -> NotebookLog:
        return await self.call("ShowNotebookLog", path={"id": notebook_id}, query={"lines": lines})


def _query_string(query: Mapping[str, Any]) -> str:
    """Sorted and encoded as a signature has it, so that both are the same bytes."""
    given = {name: _text(value) for name, value in query.items() if value is not None}
    return "&".join(f"{_quote(name)}={_quote(value)}" for name, value in sorted(given.items()))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quote(text: str) -> str:
    return quote(text, safe="-_.~")


def _refusal(status: int, raw: bytes, request_id: str) -> ClientError:
    try:
        error = msgspec.json.decode(raw, type=ErrorResponse)
    except msgspec.MsgspecError:
        return ClientError(status, str(status), "The answer is not one of this service.", request_id)
    return ClientError(status, error.error_code, error.error_msg, request_id)


def _reason(fault: Exception) -> str:
    if isinstance(fault, TimeoutError):
        return "it did not answer in time"
    if isinstance(fault, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    cause = getattr(fault, "os_error", fault)
    number = getattr(cause, "errno", None)
    return os.strerror(number).lower() if number else str(cause) or type(fault).__name__
