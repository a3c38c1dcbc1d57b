"""The calls about tags: set and remove those of one notebook, show which are in use."""

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.services import tags
from nbfleet.wire.tags import CombineTmsTags, ShowNotebookTagsResponse


def _workspace(call: Call) -> str | None:
    """None for any."""
    given = call.query.get("workspace_id", "*")
    return None if given == "*" else given


async def create_notebook_tags(tools: Tools, call: Call) -> Answer:
    await tags.set_tags(tools.context, call.request, call.path["resource_id"], _workspace(call), call.body)
    return Answer(None)


async def delete_notebook_tags(tools: Tools, call: Call) -> Answer:
    await tags.remove_tags(tools.context, call.request, call.path["resource_id"], _workspace(call), call.body)
    return Answer(None)


async def show_notebook_tags(tools: Tools, call: Call) -> Answer:
    found = await tags.in_use(tools.context, call.caller, _workspace(call))
    return Answer(
        ShowNotebookTagsResponse(tags=[CombineTmsTags(key=key, values=values) for key, values in found])
    )


HANDLERS: dict[str, Handler] = {
    "CreateNotebookTags": create_notebook_tags,
    "DeleteNotebookTags": delete_notebook_tags,
    "ShowNotebookTags": show_notebook_tags,
}
