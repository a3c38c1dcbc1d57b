"""Operations of our own, beside those of the contract. No existing client knows or trips over them."""

from typing import Annotated

from msgspec import Meta, Struct

from nbfleet.wire.fields import about
from nbfleet.wire.operation import Action, Operation
from nbfleet.wire.parameters import NOTEBOOK_ID, PROJECT_ID, query


class NotebookLog(Struct, frozen=True, kw_only=True):
    """What an instance wrote last."""

    log: Annotated[str, about("The last lines, oldest first; empty when it wrote none.")]


EXTENSIONS: tuple[Operation, ...] = (
    Operation(
        id="ShowNotebookLog",
        method="GET",
        path="/v1/{project_id}/notebooks/{id}/log",
        tag="Notebooks",
        summary="Show the last lines that an instance wrote",
        parameters=(
            PROJECT_ID,
            NOTEBOOK_ID,
            query("lines", Annotated[int, Meta(ge=1, le=10_000)], "How many lines.", default=200),
        ),
        answer=NotebookLog,
        permission=Action("modelarts:notebook:get"),
        extension=True,
    ),
)
