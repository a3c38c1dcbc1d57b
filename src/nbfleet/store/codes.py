"""The small integers that stand for words in the narrow table.

They rise with the code points of the words, so that sorting by the number is sorting by the word. The gaps
leave room for words to come; a number, once released, keeps its meaning.
"""

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Billing

STATUS: dict[Status, int] = {
    Status.CREATE_FAILED: 10,
    Status.CREATING: 20,
    Status.DELETED: 30,
    Status.DELETE_FAILED: 40,
    Status.DELETING: 50,
    Status.ERROR: 60,
    Status.FROZEN: 70,
    Status.INIT: 80,
    Status.RUNNING: 90,
    Status.SNAPSHOTTING: 100,
    Status.STARTING: 110,
    Status.START_FAILED: 120,
    Status.STOPPED: 130,
    Status.STOPPING: 140,
}
STATUS_OF = {code: status for status, code in STATUS.items()}

FEATURE = {"DEFAULT": 10, "NOTEBOOK": 20}

COMPUTE, STORAGE = 1, 2
BILLING = {Billing.COMPUTE: COMPUTE, Billing.STORAGE: STORAGE, Billing.ALL: COMPUTE | STORAGE}

NO_POOL = 0
