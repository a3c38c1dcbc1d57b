"""The calls about SSH key pairs."""

from msgspec import UNSET

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.services import keypairs
from nbfleet.store.keypairs import Keypair as Stored
from nbfleet.wire.keypairs import (
    CreateKeypairResp,
    CreateKeypairResponse,
    Keypair,
    KeypairDetail,
    KeypairPageInfo,
    Keypairs,
    ListKeypairDetailResponse,
    ListKeypairsResponse,
)

_LIMIT = 50


async def create_keypair(tools: Tools, call: Call) -> Answer:
    made = await keypairs.create(tools.context, call.caller, call.body.keypair)
    one = made.keypair
    view = CreateKeypairResp(
        name=one.name, type="ssh", public_key=one.public_key, fingerprint=one.fingerprint,
        private_key=UNSET if made.private_key is None else made.private_key, user_id=call.caller.user_id,
    )  # fmt: skip
    return Answer(CreateKeypairResponse(keypair=view))


async def list_keypairs(tools: Tools, call: Call) -> Answer:
    limit, marker = call.query.get("limit", _LIMIT), call.query.get("marker", "")
    page = await keypairs.page(tools.context, call.caller, marker, limit)
    info = KeypairPageInfo(
        next_marker=page.keypairs[-1].name if page.goes_on else UNSET,
        previous_marker=UNSET if page.before is None else page.before,
        current_count=len(page.keypairs),
    )
    entries = [Keypairs(keypair=_entry(one)) for one in page.keypairs]
    return Answer(ListKeypairsResponse(keypairs=entries, page_info=info))


async def list_keypair_detail(tools: Tools, call: Call) -> Answer:
    found = await keypairs.show(tools.context, call.caller, call.path["keypair_name"])
    return _detail(call, found)


async def update_keypair_description(tools: Tools, call: Call) -> Answer:
    text = call.body.keypair.description
    found = await keypairs.describe(tools.context, call.caller, call.path["keypair_name"], text)
    return _detail(call, found)


async def delete_keypair(tools: Tools, call: Call) -> Answer:
    await keypairs.delete(tools.context, call.caller, call.path["keypair_name"])
    return Answer(None)


def _entry(one: Stored) -> Keypair:
    return Keypair(
        name=one.name, type="ssh", scope="user", public_key=one.public_key, fingerprint=one.fingerprint,
        is_key_protection=False, frozen_state="0",
    )  # fmt: skip


def _detail(call: Call, one: Stored) -> Answer:
    view = KeypairDetail(
        name=one.name, type="ssh", scope="user", public_key=one.public_key, fingerprint=one.fingerprint,
        is_key_protection=False, deleted=False, description=one.description, user_id=call.caller.user_id,
        create_time=one.create_at, update_time=one.update_at, frozen_state=0,
    )  # fmt: skip
    return Answer(ListKeypairDetailResponse(keypair=view))


HANDLERS: dict[str, Handler] = {
    "CreateKeypair": create_keypair,
    "ListKeypairs": list_keypairs,
    "ListKeypairDetail": list_keypair_detail,
    "UpdateKeypairDescription": update_keypair_description,
    "DeleteKeypair": delete_keypair,
}
