"""From a request to what an instance is made with beyond flavor, image and volume.

What the runtime cannot do is refused by name and never left out. Whether the status allows a change is
decided in `updates`.
"""

import binascii
import re
from base64 import b64decode
from dataclasses import replace
from typing import Protocol

from msgspec import UNSET, UnsetType

from nbfleet.domain.notebook import Ability, AffinityRule, CustomSize, Hook, Making
from nbfleet.services.catalogue import ARCH
from nbfleet.services.context import Context
from nbfleet.services.requests import asks, given
from nbfleet.wire import errors, placement
from nbfleet.wire.flavors import NotebookCustomSpec
from nbfleet.wire.hooks import Config, CustomHooks
from nbfleet.wire.placement import AffinityType, RunUserRequest

LONGEST_SCRIPT = 65_536  # Bytes.
_LONGEST_PATH = 4096
_MOST_RULES = 50
_LABEL = re.compile(r"(?:[A-Za-z0-9.-]{1,253}/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_COUNT_OF_VALUES = {"In": (1, 50), "NotIn": (1, 50), "Exists": (0, 0), "DoesNotExist": (0, 0)}
_ONE_VALUE = (1, 1)  # Gt and Lt.


class Changing(Protocol):
    """What requests to create and to update have in common here."""

    @property
    def custom_spec(self) -> NotebookCustomSpec | UnsetType: ...
    @property
    def hooks(self) -> CustomHooks | UnsetType: ...
    @property
    def affinity(self) -> AffinityType | UnsetType: ...


def changed(context: Context, making: Making, body: Changing, pool_id: str | None) -> Making:
    """`making` with what the request gives; `pool_id` is where the instance is to run."""
    result = _with_hooks(context, making, body.hooks)
    if asks(body.custom_spec) and not isinstance(body.custom_spec, UnsetType):
        _needs_pool("custom_spec", pool_id)
        result = replace(result, size=_size(body.custom_spec))
    if asks(body.affinity) and not isinstance(body.affinity, UnsetType):
        _needs(context, Ability.AFFINITY, "affinity", "it does not place instances by labels of nodes")
        _needs_pool("affinity", pool_id)
        result = _with_affinity(result, body.affinity)
    return result


def run_as(context: Context, wanted: RunUserRequest | UnsetType) -> tuple[int, int] | None:
    """User and group id; the group is named like the user where none is given."""
    if not asks(wanted) or isinstance(wanted, UnsetType):
        return None
    _needs(context, Ability.RUN_USER, "run_user", "its instances run as the user of the service")
    if isinstance(wanted.uid, UnsetType):
        raise errors.missing("run_user.uid")
    ids = {"uid": wanted.uid, "gid": given(wanted.gid, wanted.uid)}
    for name, value in ids.items():
        if value < 0:
            raise errors.wrong_value(f"run_user.{name}", value, "0 or more")
    return ids["uid"], ids["gid"]


def _needs(context: Context, ability: Ability, field: str, because: str) -> None:
    if ability not in context.abilities:
        raise errors.cannot_honour(field, f"the runtime {context.settings.runtime} cannot: {because}")


def _needs_pool(field: str, pool_id: str | None) -> None:
    if pool_id is None:
        raise errors.cannot_honour(field, "it is for instances in a dedicated pool, which pool_id names")


def _size(wanted: NotebookCustomSpec) -> CustomSize:
    if round(wanted.cpu, 2) != wanted.cpu:
        raise errors.wrong_value("custom_spec.cpu", wanted.cpu, "a number with at most two decimals")
    category = given(wanted.category, "CPU")
    if category == "GPU" or given(wanted.gpu, 0) or given(wanted.gpu_type, ""):
        raise errors.not_available("custom_spec with GPUs")
    arch = str(given(wanted.arch, ARCH)).lower()
    if arch != ARCH:
        raise errors.wrong_value("custom_spec.arch", arch, f"{ARCH}, as the machine")
    return CustomSize(
        vcpus=wanted.cpu,
        memory=int(wanted.memory),
        arch=arch,
        category=category,
        resource_flavor=given(wanted.resource_flavor, "") or None,
    )


def _with_hooks(context: Context, making: Making, hooks: CustomHooks | UnsetType) -> Making:
    """Each given hook replaces the one there is; one with an empty script takes it away."""
    if isinstance(hooks, UnsetType) or isinstance(hooks.container_hooks, UnsetType):
        return making
    for name in ("pre_start", "post_start"):
        config: Config | UnsetType = getattr(hooks.container_hooks, name)
        if not isinstance(config, UnsetType):
            hook = _hook(f"hooks.container_hooks.{name}", config)
            if hook is not None:
                _needs(context, Ability.HOOKS, "hooks", "it runs no scripts around a start")
            making = replace(making, **{name: hook})
    return making


def _hook(field: str, config: Config) -> Hook | None:
    if isinstance(config.script, UnsetType):
        raise errors.missing(f"{field}.script")
    if not config.script:
        return None
    blocks = given(config.mode, "ASYNC").upper() == "BLOCK"
    if given(config.type, "SCRIPT").upper() == "SCRIPT":
        return Hook(_path(f"{field}.script", config.script), is_file=True, blocks=blocks)
    return Hook(_commands(f"{field}.script", config.script), is_file=False, blocks=blocks)


def _path(field: str, script: str) -> str:
    if not script.startswith("/") or len(script) > _LONGEST_PATH or "\0" in script:
        allowed = f"an absolute path of at most {_LONGEST_PATH} characters, with type SCRIPT"
        raise errors.wrong_value(field, script, allowed)
    return script


def _commands(field: str, script: str) -> str:
    """The decoded text. It may hold secrets: what was given is not repeated in an error."""
    allowed = f"Base64 of UTF-8 text of at most {LONGEST_SCRIPT} bytes, with type COMMAND"
    try:
        text = b64decode(script, validate=True)
        if len(text) <= LONGEST_SCRIPT and b"\0" not in text:
            return text.decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise errors.wrong_value(field, "something else", allowed)


def _with_affinity(making: Making, wanted: AffinityType) -> Making:
    """Each given list of rules replaces the one there is."""
    for name, field, weighted in (
        ("required", "required_during_scheduling_ignored_during_execution", False),
        ("preferred", "preferred_during_scheduling_ignored_during_execution", True),
    ):
        rules: list[placement.AffinityRule] | UnsetType = getattr(wanted, field)
        if isinstance(rules, UnsetType):
            continue
        if len(rules) > _MOST_RULES:
            raise errors.wrong_value(f"affinity.{field}", len(rules), f"at most {_MOST_RULES} rules")
        places = (f"affinity.{field}[{number}]" for number in range(len(rules)))
        made = tuple(_rule(place, rule, weighted=weighted) for place, rule in zip(places, rules, strict=True))
        making = replace(making, **{name: made})
    return making


def _rule(field: str, rule: placement.AffinityRule, *, weighted: bool) -> AffinityRule:
    if isinstance(rule.key, UnsetType):
        raise errors.missing(f"{field}.key")
    if _LABEL.fullmatch(rule.key) is None:
        raise errors.wrong_value(f"{field}.key", rule.key, "the key of a label")
    if isinstance(rule.operator, UnsetType):
        raise errors.missing(f"{field}.operator")
    values = tuple(given(rule.values, []))
    fewest, most = _COUNT_OF_VALUES.get(rule.operator.value, _ONE_VALUE)
    if not fewest <= len(values) <= most:
        allowed = f"{fewest} to {most} with {rule.operator.value}"
        raise errors.wrong_value(f"{field}.values", f"{len(values)} values", allowed)
    weight = None if rule.weight is UNSET else given(rule.weight, None)
    if (weight is not None) != weighted:
        allowed = "0 to 100 for a preferred rule" if weighted else "none for a required rule"
        raise errors.wrong_value(f"{field}.weight", weight, allowed)
    return AffinityRule(rule.key, rule.operator.value, values, weight)
