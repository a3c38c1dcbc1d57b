"""The served document against the inventory of the published contract."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nbfleet.wire.openapi import document

DATA = Path(__file__).parents[2] / "data"
CONTRACT: dict[str, Any] = json.loads((DATA / "contract.json").read_text("utf-8"))
DOCUMENT: dict[str, Any] = document("http://notebooks.example.test", "1.2.3")
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

# What we serve beyond the published contract, or say in another way, and why.
# The first is asked for by clients before anything else, the others are ours.
ADDED_OPERATIONS = {
    "KeystoneListAuthDomains",
    "ShowNotebookLog",
    "ShowNotebookUsage",
    "ListNotebookEvents",
    "CountNotebooks",
    "ExportNotebooks",
    "FreezeNotebook",
    "UnfreezeNotebook",
    "ShowFleetHistory",
    "ListStoppingNotebooks",
    "ShowCapacity",
    "PreviewNotebookAction",
    "BeginNotebookAction",
    "ListNotebookActions",
    "ShowNotebookAction",
    "ListNotebookActionResults",
    "CancelNotebookAction",
    # Those of the key-pair service, which clients use beside this one.
    "CreateKeypair",
    "ListKeypairs",
    "ListKeypairDetail",
    "UpdateKeypairDescription",
    "DeleteKeypair",
}
ANY_VALUE = {"*"}  # Extension: the published absence means one kind only.
# Where a walk by marker goes on, in the answers of both lists; tags that a notebook has from the start.
ADDED_FIELDS = {
    "ListAllNotebooksResponse": {"next_marker"},
    "ListNotebooksResponse": {"next_marker"},
    "NotebookCreateRequest": {"tags"},
}
WITHOUT_DEFAULT = {("ShowNotebookTags", "workspace_id")}  # Absent means all workspaces.
CHECKED_BY_SERVICE = {"schema NotebookCreateRequest anyOf"}  # Flavor or custom_spec; told in the text.
# Refusals that any service gives and the contract does not list; the statuses are decisions of ours.
ADDED_ERRORS = {"405": "WrongMethod", "413": "TooLarge", "501": "NotAvailable", "503": "Overloaded"}
# Action names that are ours: the published contract has none for these.
OUR_ACTIONS = {
    "SyncImage": "modelarts:image:sync",
    "UpdateImageGroup": "modelarts:image:updateGroup",
    "DeleteImageGroup": "modelarts:image:deleteGroup",
    "ListUsers": "modelarts:workspace:listUsers",
    "ValidateAuthorization": "modelarts:workspace:validateAuthorization",
}


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    return SCHEMAS[schema["$ref"].rsplit("/", 1)[1]] | {k: v for k, v in schema.items() if k != "$ref"}


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 and len(schema["anyOf"]) == 2 else {}


def differences(published: dict[str, Any], served: dict[str, Any], where: str) -> Iterator[str]:
    """Tell everything the contract says about a value that the served schema does not say."""
    if "schema" in published and served.get("$ref") != f"#/components/schemas/{published['schema']}":
        yield f"{where}: is {served}, should be {published['schema']}"
        return
    if isinstance(published.get("type"), list):
        inner = without_null(served)
        if not inner:
            yield f"{where}: does not allow null"
        published = published | {"type": next(t for t in published["type"] if t != "null")}
        served = inner
    served = resolve(served)
    for keyword, value in published.items():
        yield from difference(keyword, value, published, served, where)


def difference(
    keyword: str, value: Any, published: dict[str, Any], served: dict[str, Any], where: str
) -> Iterator[str]:
    got = served.get(keyword)
    if keyword == "schema" or f"{where} {keyword}" in CHECKED_BY_SERVICE:
        return
    if keyword == "properties":
        for name in sorted(set(value) ^ set(got or {})):
            yield f"{where}: field {name} is on one side only"
        for name in sorted(set(value) & set(got or {})):
            yield from differences(value[name], got[name], f"{where}.{name}")
    elif keyword in {"items", "additionalProperties"}:
        yield from differences(value, got or {}, f"{where}[]")
    elif keyword in {"enum", "required"}:
        if set(value) != set(got or []):
            yield f"{where}: {keyword} is {got}, should be {value}"
    elif keyword == "const":
        if served.get("enum") != [value]:
            yield f"{where}: is {served}, should be {value}"
    elif keyword == "type":
        # An enumeration says its values, which tells the type.
        if not {"enum", "const"} & set(published) and value != got:
            yield f"{where}: type is {got}, should be {value}"
    elif got != value:
        yield f"{where}: {keyword} is {got}, should be {value}"


def served_operations() -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: {"path": path, "method": method.upper(), **operation}
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    }


def body_name(described: dict[str, Any]) -> str | None:
    content = described.get("content")
    return content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1] if content else None


def test_serves_exactly_the_operations_of_the_contract() -> None:
    assert set(served_operations()) == set(CONTRACT["operations"]) | ADDED_OPERATIONS


@pytest.mark.parametrize("operation_id", CONTRACT["operations"])
def test_operation_is_as_published(operation_id: str) -> None:
    published, served = CONTRACT["operations"][operation_id], served_operations()[operation_id]
    success = served["responses"][str(published["status"])]
    errors = {s: r["$ref"].rsplit("/", 1)[1] for s, r in served["responses"].items() if "$ref" in r}
    assert {
        "method": served["method"],
        "path": served["path"],
        "tag": served["tags"][0],
        "action": served["x-iam-action"],
        "body": body_name(served.get("requestBody", {})),
        "body_required": served.get("requestBody", {}).get("required", False),
        "answer": body_name(success),
        "headers": sorted(success["headers"]),
        "errors": errors,
    } == {
        "action": published["action"] or OUR_ACTIONS.get(operation_id),
        **{k: v for k, v in published.items() if k not in {"action", "parameters", "status", "errors"}},
        "errors": published["errors"] | ADDED_ERRORS,
    }


@pytest.mark.parametrize("operation_id", CONTRACT["operations"])
def test_parameters_are_as_published(operation_id: str) -> None:
    published = {(p["in"], p["name"]): p for p in CONTRACT["operations"][operation_id]["parameters"]}
    served = {
        (p["in"], p["name"]): p
        for p in served_operations()[operation_id]["parameters"]
        if "x-nbfleet-extension" not in p
    }
    assert list(served) == list(published)
    assert {k: p["required"] for k, p in served.items()} == {k: p["required"] for k, p in published.items()}
    found = [
        line
        for key, parameter in published.items()
        for line in parameter_differences(operation_id, parameter["schema"], served[key])
    ]
    assert found == []


def parameter_differences(
    operation_id: str, published: dict[str, Any], served: dict[str, Any]
) -> Iterator[str]:
    where, schema = f"{operation_id} {served['name']}", served["schema"]
    if (operation_id, served["name"]) in WITHOUT_DEFAULT:
        published = {k: v for k, v in published.items() if k != "default"}
    if set(resolve(schema).get("enum", [])) >= ANY_VALUE:
        kept = [value for value in resolve(schema)["enum"] if value not in ANY_VALUE]
        schema = {"enum": kept, "default": schema.get("default")}
        published = {**CONTRACT["schemas"][published["schema"]], "default": published.get("default")}
    yield from differences(published, schema, where)


@pytest.mark.parametrize("name", CONTRACT["schemas"])
def test_schema_is_as_published(name: str) -> None:
    served = dict(SCHEMAS[name])
    ours = ADDED_FIELDS.get(name, set())
    if ours:
        served["properties"] = {k: v for k, v in served["properties"].items() if k not in ours}
        assert served["properties"].keys() | ours == SCHEMAS[name]["properties"].keys()
    assert list(differences(CONTRACT["schemas"][name], served, f"schema {name}")) == []


def test_what_is_ours_is_marked_as_such() -> None:
    parameters = {
        p["name"] for o in served_operations().values() for p in o["parameters"] if "x-nbfleet-extension" in p
    }
    several = {
        (name, p["name"])
        for name, o in served_operations().items()
        for p in o["parameters"]
        if "x-nbfleet-several" in p
    }
    marked = {name for name, o in served_operations().items() if "x-nbfleet-extension" in o}
    lists = {"ListAllNotebooks", "ListNotebooks", "CountNotebooks", "ExportNotebooks"}
    assert parameters == {"created_since", "created_until", "updated_since", "updated_until", "marker"}
    assert several == {(name, "status") for name in lists}
    companions = {name for name in ADDED_OPERATIONS if "Key" in name}
    assert marked == ADDED_OPERATIONS - companions


def test_error_responses_are_as_published() -> None:
    served = {
        name: {"schema": body_name(response), "headers": sorted(response["headers"])}
        for name, response in DOCUMENT["components"]["responses"].items()
    }
    added = {
        "WrongMethod": ["Allow", "X-Request-Id"],
        "TooLarge": ["X-Request-Id"],
        "NotAvailable": ["X-Request-Id"],
        "Overloaded": ["Retry-After", "X-Request-Id"],
    }
    ours = {name: {"schema": "ErrorResponse", "headers": headers} for name, headers in added.items()}
    assert served == CONTRACT["responses"] | ours


def test_tags_and_security_schemes_are_as_published() -> None:
    assert [tag["name"] for tag in DOCUMENT["tags"]] == [
        *CONTRACT["tags"],
        "Key pairs",
        "Actions on many notebooks",
    ]
    assert sorted(DOCUMENT["components"]["securitySchemes"]) == CONTRACT["security_schemes"]


def test_only_the_token_call_needs_no_credentials() -> None:
    public = {name for name, operation in served_operations().items() if operation.get("security") == []}
    assert public == {"KeystoneCreateUserTokenByPassword"}
    assert DOCUMENT["security"] == [{"XAuthToken": []}, {"AkSkSignature": []}]


def test_names_the_server_and_the_version() -> None:
    assert DOCUMENT["servers"] == [{"url": "http://notebooks.example.test"}]
    assert DOCUMENT["info"]["version"] == "1.2.3"
    assert DOCUMENT["openapi"] == "3.1.0"


def members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from members(child)


def test_every_reference_resolves() -> None:
    for reference in {value for key, value in members(DOCUMENT) if key == "$ref"}:
        target: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target, reference


def test_document_is_plain_json_and_every_schema_is_valid() -> None:
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_every_path_word_in_braces_is_a_parameter() -> None:
    for name, operation in served_operations().items():
        words = [w[1:-1] for w in operation["path"].split("/") if w.startswith("{")]
        assert words == [p["name"] for p in operation["parameters"] if p["in"] == "path"], name


def test_patterns_end_as_published_and_not_as_in_python() -> None:
    patterns = {value for key, value in members(DOCUMENT) if key == "pattern" and isinstance(value, str)}
    assert [pattern for pattern in patterns if r"\Z" in pattern] == []
    assert len(patterns) > 10
