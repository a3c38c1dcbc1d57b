"""The OpenAPI document that the service serves, derived from the table of operations.

Nothing is written down twice: paths, parameters, bodies and permissions come from the table, schemas from
the types. Only what a table row cannot say is here: the answers that every operation may give, and the
two ways to prove who calls.
"""

from typing import Any, TypeAlias, cast

import msgspec

from nbfleet.wire.errors import ErrorResponse
from nbfleet.wire.operation import PUBLIC, Action, Operation
from nbfleet.wire.operations import OPERATIONS
from nbfleet.wire.parameters import Parameter

Json: TypeAlias = dict[str, Any]

_TAGS = {
    "Notebooks": "Instances.",
    "Leases": "Auto-stop clock.",
    "Flavors": "Sizes.",
    "Dynamic storage": "Mounts in running instances.",
    "Tags": "Instance tags.",
    "Images": "Images.",
    "Workspaces": "Workspaces.",
    "Pools": "Pools, clusters and features as far as notebooks need them.",
    "IAM subset": "The identity calls that clients make.",
    "Key pairs": "SSH key pairs of users: the part of the key-pair service that clients need.",
    "Actions on many notebooks": "One action on all that a query finds or that are named, carried out apart.",
}
_ERRORS = {
    "400": ("BadRequest", "Wrong input or wrong state."),
    "401": ("Unauthorized", "Missing, wrong or expired token or signature."),
    "403": ("Forbidden", "Known caller without permission, or a foreign project in the path."),
    "404": ("NotFound", "No such object in this project."),
    "405": ("WrongMethod", "The path has other methods."),
    "413": ("TooLarge", "The body is larger than this service takes."),
    "429": ("TooManyRequests", "Too many calls."),
    "500": ("ServerError", "Fault of the service."),
    "501": ("NotAvailable", "Something of the contract that this service cannot do."),
    "503": ("Overloaded", "Too busy, or a deadline is over; ask again."),
}
_REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_ALLOW = {"Allow": {"description": "The methods of the path.", "schema": {"type": "string"}}}
_ERROR_HEADERS = {"405": _ALLOW, "429": _RETRY_AFTER, "503": _RETRY_AFTER}
_SUBJECT_TOKEN = {
    "X-Subject-Token": {
        "description": "The token, to be sent as X-Auth-Token.",
        "schema": {"type": "string"},
    }
}
_SECURITY_SCHEMES = {
    "XAuthToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Token",
        "description": "Project token from POST /v3/auth/tokens, valid for 24 hours.",
    },
    "AkSkSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": (
            "SDK-HMAC-SHA256 Access={ak}, SignedHeaders={names}, Signature={hex}; together with X-Sdk-Date."
        ),
    },
}


def document(server_url: str, version: str) -> Json:
    """Build the whole document for a service at this address."""
    parameter_schemas, records = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {"title": "ModelArts notebook (DevEnviron) API", "version": version},
        "servers": [{"url": server_url}],
        "security": [{"XAuthToken": []}, {"AkSkSignature": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _paths(parameter_schemas),
        "components": {
            "securitySchemes": _SECURITY_SCHEMES,
            "headers": {"X-Request-Id": {"description": "Id of the request.", "schema": {"type": "string"}}},
            "responses": {name: _error(status, text) for status, (name, text) in _ERRORS.items()},
            "schemas": records,
        },
    }


def _schemas() -> tuple[dict[Parameter, Json], Json]:
    parameters = list(dict.fromkeys(p for operation in OPERATIONS for p in operation.parameters))
    bodies = [t for o in OPERATIONS for t in (o.body, o.answer) if t is not None]
    schemas, components = msgspec.json.schema_components(
        [*(p.type for p in parameters), ErrorResponse, *bodies], ref_template="#/components/schemas/{name}"
    )
    readable = [_readable(schema) for schema in schemas[: len(parameters)]]
    return dict(zip(parameters, readable, strict=True)), _readable(components)


def _readable(value: Any) -> Any:
    """Spell the end of a pattern as JSON Schema does; there `$` never matches before a newline."""
    if isinstance(value, list):
        return [_readable(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    return {
        key: item.replace(r"\Z", "$") if key == "pattern" and isinstance(item, str) else _readable(item)
        for key, item in cast("Json", value).items()
    }


def _paths(schemas: dict[Parameter, Json]) -> Json:
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return paths


def _operation(operation: Operation, schemas: dict[Parameter, Json]) -> Json:
    permission = operation.permission
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "x-iam-action": permission.name if isinstance(permission, Action) else None,
        "parameters": [_parameter(p, schemas[p]) for p in operation.parameters],
        "responses": {str(operation.status): _success(operation)}
        | {status: {"$ref": f"#/components/responses/{name}"} for status, (name, _) in _ERRORS.items()},
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": _content(operation.body),
        }
    if operation.extension:
        described["x-nbfleet-extension"] = True
    if permission is PUBLIC:
        described["security"] = []
    return described


def _parameter(parameter: Parameter, schema: Json) -> Json:
    default = {} if parameter.default is None else {"default": msgspec.to_builtins(parameter.default)}
    ours = {"x-nbfleet-extension": True} if parameter.extension else {}
    return {
        "name": parameter.name,
        "in": parameter.location,
        "required": parameter.required,
        "description": parameter.description,
        "schema": {**schema, **default},
        **ours,
        **({"x-nbfleet-several": True} if parameter.several else {}),
    }


def _success(operation: Operation) -> Json:
    # The token travels in a header and not in the body, which no record type can say.
    token = _SUBJECT_TOKEN if operation.permission is PUBLIC else {}
    answer: Json = {"description": "Done.", "headers": {**token, **_REQUEST_ID}}
    if operation.answer is not None:
        answer["content"] = _content(operation.answer)
    if operation.streams:
        answer["content"] = {media: {"schema": {"type": "string"}} for media in operation.streams}
    return answer


def _error(status: str, text: str) -> Json:
    return {
        "description": text,
        "headers": {**_REQUEST_ID, **_ERROR_HEADERS.get(status, {})},
        "content": _content(ErrorResponse),
    }


def _content(record: type[Any]) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{record.__name__}"}}}
