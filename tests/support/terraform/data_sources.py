"""Data sources: what is only read. Queries are put together as text, as the provider does it."""

from typing import Any

from support.terraform.provider import Provider, decoded
from support.terraform.resources import MOUNTS, NOTEBOOK

PAGE = 50
IMAGES = {
    "current": int, "pages": int, "size": int, "total": int,
    "data": [{"id": str, "name": str, "swr_path": str, "type": str, "description": str, "arch": str}],
}  # fmt: skip
QUOTA = {
    "resource": str, "quota": int, "min_quota": int, "max_quota": int, "used_quota": int, "name_cn": str,
    "name_en": str, "unit_cn": str, "unit_en": str, "update_time": int,
}  # fmt: skip


def _text(**query: Any) -> str:
    return "&".join(f"{name}={value}" for name, value in query.items())


def notebooks(provider: Provider, **query: Any) -> list[dict[str, Any]]:
    """`huaweicloud_modelarts_notebooks`: on by what came, until fewer than fifty do."""
    found: list[dict[str, Any]] = []
    while True:
        page = provider.request("GET", "notebooks", query=_text(limit=PAGE, **query, offset=len(found)))[
            "data"
        ]
        found += [decoded(one, NOTEBOOK) for one in page]
        if len(page) < PAGE:
            return found


def images(provider: Provider, cpu_arch: str = "", **query: Any) -> list[str]:
    """`huaweicloud_modelarts_notebook_images`: an architecture is compared letter by letter."""
    page = decoded(provider.request("GET", "images", query=_text(limit=200, offset=0, **query)), IMAGES)
    return [one["id"] for one in page["data"] if cpu_arch in ("", one["arch"])]


def flavors(provider: Provider, **query: Any) -> list[str]:
    """`huaweicloud_modelarts_notebook_flavors`: those that are not sold out."""
    found = provider.request("GET", "notebooks/flavors", query=_text(**query))["data"]
    return [one["id"] for one in found if not one["sold_out"]]


def quotas(provider: Provider, workspace_id: str) -> list[dict[str, Any]]:
    """`huaweicloud_modelarts_workspace_quotas`."""
    found = provider.request("GET", f"workspaces/{workspace_id}/quotas")["quotas"]
    return [decoded(one, QUOTA) for one in found]


def mounts(provider: Provider, notebook_id: str) -> list[str]:
    """`mount_storages` of a notebook."""
    found = decoded(provider.request("GET", f"notebooks/{notebook_id}/storage"), MOUNTS)
    return [one["id"] for one in found["data"]]
