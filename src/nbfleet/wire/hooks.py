"""Scripts around the start of an instance.

Types only: scripts are neither decoded nor run here.
"""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from nbfleet.wire.enums import HookMode, HookScriptType
from nbfleet.wire.fields import about


class Config(Struct, frozen=True, kw_only=True):
    """One start-up script."""

    script: Annotated[str, about("Base64 text of the script or its absolute path, see type.")] | UnsetType = (
        UNSET
    )
    type: Annotated[HookScriptType, about("What script holds.", default="SCRIPT")] | UnsetType = UNSET
    mode: Annotated[HookMode, about("Whether start-up waits.", default="ASYNC")] | UnsetType = UNSET


class ContainerHooks(Struct, frozen=True, kw_only=True):
    """Scripts around container start."""

    post_start: Annotated[Config, about("Run after the service has started.")] | UnsetType = UNSET
    pre_start: Annotated[Config, about("Run before the service starts.")] | UnsetType = UNSET


class CustomHooks(Struct, frozen=True, kw_only=True):
    """Start-up hooks."""

    container_hooks: Annotated[ContainerHooks, about("Container scripts.")] | UnsetType = UNSET
