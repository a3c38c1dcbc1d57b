"""Of which notebooks it can be told what they use, and how much they may use.

The figures come from a runtime, which is not for this module to ask.
"""

from nbfleet.domain.access import Caller
from nbfleet.domain.capacity import Size
from nbfleet.domain.notebook import Ability, Notebook
from nbfleet.services import notebooks, pools
from nbfleet.services.context import Context
from nbfleet.wire import errors


async def measurable(context: Context, caller: Caller, notebook_id: str) -> tuple[Notebook, Size | None]:
    """A notebook that runs and on which the caller may act, and its size where its flavor still tells it.
    Refused where the runtime does not report usage."""
    notebook = await notebooks.readable(context, caller, notebook_id)
    if Ability.USAGE not in context.abilities:
        raise errors.not_available("The usage of instances")
    return notebooks.running(notebook), pools.told_size(context, notebook)
