"""Administration of a project: its people, what they may do and have, and what there is to use. And what
everybody does about their own account."""

from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration import (
    account,
    images,
    keys,
    offers,
    people,
    quotas,
    roles,
    workspaces,
)


def pages(parts: Parts) -> list[Page]:
    rooms = (people, keys, roles, workspaces, quotas, images, offers, account)
    return [page for room in rooms for page in room.pages(parts)]
