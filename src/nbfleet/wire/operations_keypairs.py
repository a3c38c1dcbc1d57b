"""Rows of the table: SSH key pairs. They belong to users, so any member may have some of its own."""

from typing import Annotated

from msgspec import Meta

from nbfleet.wire.fields import int32
from nbfleet.wire.keypairs import (
    CreateKeypairRequestBody,
    CreateKeypairResponse,
    KeypairName,
    ListKeypairDetailResponse,
    ListKeypairsResponse,
    UpdateKeypairDescriptionRequestBody,
)
from nbfleet.wire.operation import MEMBER, Operation
from nbfleet.wire.parameters import PROJECT_ID, path, query

_LIST = "/v3/{project_id}/keypairs"
_ONE = "/v3/{project_id}/keypairs/{keypair_name}"
_NAME = path("keypair_name", KeypairName, "Name of the key pair.")

KEYPAIRS: tuple[Operation, ...] = (
    Operation(
        id="CreateKeypair",
        method="POST",
        path=_LIST,
        tag="Key pairs",
        summary="Make an SSH key pair, or import a public key",
        parameters=(PROJECT_ID,),
        body=CreateKeypairRequestBody,
        body_required=True,
        answer=CreateKeypairResponse,
        permission=MEMBER,
    ),
    Operation(
        id="ListKeypairs",
        method="GET",
        path=_LIST,
        tag="Key pairs",
        summary="List one's own SSH key pairs, by name",
        parameters=(
            PROJECT_ID,
            query("limit", Annotated[int, int32(ge=1)], "Page size.", default=50),
            query("marker", Annotated[str, Meta(max_length=255)], "Name behind which the page begins."),
        ),
        answer=ListKeypairsResponse,
        permission=MEMBER,
    ),
    Operation(
        id="ListKeypairDetail",
        method="GET",
        path=_ONE,
        tag="Key pairs",
        summary="Show one of one's own SSH key pairs",
        parameters=(PROJECT_ID, _NAME),
        answer=ListKeypairDetailResponse,
        permission=MEMBER,
    ),
    Operation(
        id="UpdateKeypairDescription",
        method="PUT",
        path=_ONE,
        tag="Key pairs",
        summary="Change the description of an SSH key pair",
        parameters=(PROJECT_ID, _NAME),
        body=UpdateKeypairDescriptionRequestBody,
        body_required=True,
        answer=ListKeypairDetailResponse,
        permission=MEMBER,
    ),
    Operation(
        id="DeleteKeypair",
        method="DELETE",
        path=_ONE,
        tag="Key pairs",
        summary="Delete an SSH key pair",
        parameters=(PROJECT_ID, _NAME),
        status=204,
        permission=MEMBER,
    ),
)
