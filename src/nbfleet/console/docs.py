"""The page of the operations to browse. It shows what the served document says and holds nothing of its
own."""

from typing import Any

from nbfleet.api.handlers import HANDLERS

_METHODS = ("get", "post", "put", "patch", "delete")


def operations_by_tag(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Tags with their operations, in the order of the document."""
    groups: dict[str, dict[str, Any]] = {
        tag["name"]: {"name": tag["name"], "description": tag["description"], "operations": []}
        for tag in document["tags"]
    }
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                shown = {
                    "method": method.upper(),
                    "path": path,
                    "available": operation["operationId"] in HANDLERS,
                    **operation,
                }
                groups[operation["tags"][0]]["operations"].append(shown)
    return [group for group in groups.values() if group["operations"]]
