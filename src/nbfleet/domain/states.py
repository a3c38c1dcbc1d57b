"""What people are told of a state, in a terminal and on a page: the word for it, and of what kind it is.

One table for notebooks, images and mounts: nothing means two things. Colours, shapes and translations belong
to whoever shows them.
"""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What can be told without reading."""

    RUNNING = "running"  # As it should be, and of use.
    MOVING = "moving"
    STOPPED = "stopped"
    FAILED = "failed"
    FROZEN = "frozen"


def later(word: str) -> str:
    """Marks a word that is translated where it is shown."""
    return word


_TABLE: Mapping[str, tuple[str, Kind]] = {
    "INIT": (later("Preparing"), Kind.MOVING),
    "CREATING": (later("Creating"), Kind.MOVING),
    "STARTING": (later("Starting"), Kind.MOVING),
    "STOPPING": (later("Stopping"), Kind.MOVING),
    "DELETING": (later("Deleting"), Kind.MOVING),
    "RUNNING": (later("Running"), Kind.RUNNING),
    "STOPPED": (later("Stopped"), Kind.STOPPED),
    "SNAPSHOTTING": (later("Saving image"), Kind.MOVING),
    "CREATE_FAILED": (later("Create failed"), Kind.FAILED),
    "START_FAILED": (later("Start failed"), Kind.FAILED),
    "DELETE_FAILED": (later("Delete failed"), Kind.FAILED),
    "ERROR": (later("Error"), Kind.FAILED),
    "DELETED": (later("Deleted"), Kind.STOPPED),
    "FROZEN": (later("Frozen"), Kind.FROZEN),
    "ACTIVE": (later("Active"), Kind.RUNNING),
    "MOUNTING": (later("Mounting"), Kind.MOVING),
    "MOUNTED": (later("Mounted"), Kind.RUNNING),
    "MOUNT_FAILED": (later("Mount failed"), Kind.FAILED),
    "UNMOUNTING": (later("Unmounting"), Kind.MOVING),
    "UNMOUNTED": (later("Unmounted"), Kind.STOPPED),
    "UNMOUNT_FAILED": (later("Unmount failed"), Kind.FAILED),
}
WORDS: Mapping[str, str] = {state: word for state, (word, _) in _TABLE.items()}
KINDS: Mapping[str, Kind] = {state: kind for state, (_, kind) in _TABLE.items()}


def word(state: str) -> str:
    """In English; a state that has no word is told as it is."""
    return WORDS.get(state, state)


def kind(state: str) -> Kind:
    return KINDS.get(state, Kind.MOVING)
