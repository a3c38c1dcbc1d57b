"""Tags of notebooks.

Types only: the limit of twenty tags for one instance counts the stored ones too and is
enforced by the service.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.fields import about


class TmsTag(Struct, frozen=True, kw_only=True):
    """Tag to set on a notebook. An existing key gets the new value."""

    key: Annotated[
        str,
        Meta(min_length=1, max_length=128, pattern=r'^(?!_sys_)(?! )[^<>,|*/\\"]{1,128}(?<! )\Z'),
        about("Tag key; no space at either end, must not start with _sys_."),
    ]
    value: (
        Annotated[str, Meta(max_length=255), about("Tag value: as for the key, and / as well. Optional.")]
        | UnsetType
    ) = UNSET


class TmsTagForDeletion(Struct, frozen=True, kw_only=True):
    """Tag to remove. The value may be left out; only the key decides."""

    key: Annotated[str, Meta(min_length=1, max_length=128), about("Tag key.")]
    value: Annotated[str, Meta(max_length=255), about("Tag value, optional.")] | UnsetType = UNSET


class TmsTagResponse(Struct, frozen=True, kw_only=True):
    """Tag of a notebook or image."""

    key: Annotated[str, about("Tag key.")]
    value: Annotated[str, about("Tag value.")] | UnsetType = UNSET


class CreateTmsTagsRequest(Struct, frozen=True, kw_only=True):
    """Tags to set."""

    tags: Annotated[
        list[TmsTag], Meta(min_length=1, max_length=20), about("Tags to set; a notebook carries at most 20.")
    ]


class DeleteTmsTagsRequest(Struct, frozen=True, kw_only=True):
    """Tags to remove."""

    tags: Annotated[
        list[TmsTagForDeletion], Meta(min_length=1), about("Tags to remove; unknown ones are ignored.")
    ]


class CombineTmsTags(Struct, frozen=True, kw_only=True):
    """All values in use for one key."""

    key: Annotated[str, Meta(max_length=128), about("Tag key.")]
    values: Annotated[list[str], about("Distinct values of the key over the notebooks of the project.")]


class ShowNotebookTagsResponse(Struct, frozen=True, kw_only=True):
    """Tags in use on notebooks."""

    tags: Annotated[list[CombineTmsTags], about("One entry for each key.")]
