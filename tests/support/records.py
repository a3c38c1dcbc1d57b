"""Strategies for whole records: anything the store must be able to keep."""

from hypothesis import strategies as st

from nbfleet.domain.notebook import (
    ORDINARY,
    AffinityRule,
    CustomSize,
    Hook,
    Lease,
    LeaseType,
    Making,
    Notebook,
    Observed,
    Progress,
    StepStatus,
    Volume,
    Wanted,
)
from support import fleet

# The pairs that have a status.
PAIRS = [
    *((Wanted.RUNNING, observed) for observed in (Observed.NEW, Observed.STOPPED, Observed.RUNNING)),
    *((Wanted.RUNNING, observed) for observed in (Observed.CREATE_FAILED, Observed.START_FAILED)),
    (Wanted.RUNNING, Observed.ERROR),
    (Wanted.STOPPED, Observed.RUNNING),
    (Wanted.STOPPED, Observed.STOPPED),
    (Wanted.FROZEN, Observed.RUNNING),
    (Wanted.FROZEN, Observed.STOPPED),
    *((Wanted.DELETED, observed) for observed in Observed if observed is not Observed.NEW),
]
LARGE = 2**62
TIMES = st.integers(0, LARGE)
# PostgreSQL cannot keep the letter of number 0, and half of a surrogate is no text.
TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20
) | st.sampled_from(["", "_", "%", "\\", "100%_\\", "训练-1", "İ", "ß", '"', "\n", "</x>", "'; --"])
LEASES = st.builds(
    Lease,
    TIMES,
    TIMES,
    st.integers(-1, 2**40),
    st.integers(-1, 2**40),
    enable=st.booleans(),
    type=st.sampled_from(LeaseType),
)
PROGRESS = st.builds(Progress, st.tuples(*[st.sampled_from(StepStatus)] * 4))
VOLUMES = st.builds(
    Volume, st.sampled_from(["EVS", "EFS"]), st.sampled_from(["MANAGED", "DEDICATED"]),
    st.integers(1, 4096), st.sampled_from(["/home/ma-user/work/", "/训练/"]),
    st.none() | st.integers(1, 4096),
)  # fmt: skip
HOOKS = st.none() | st.builds(Hook, TEXTS, is_file=st.booleans(), blocks=st.booleans())
SIZES = st.builds(
    CustomSize, st.sampled_from([0.4, 1.25, 64.0]), st.integers(513, 2**40), st.just("x86_64"),
    st.sampled_from(["CPU", "GPU"]), st.none() | TEXTS,
)  # fmt: skip
RULES = st.lists(
    st.builds(
        AffinityRule, TEXTS, st.sampled_from(["In", "Exists"]), st.lists(TEXTS, max_size=2).map(tuple),
        st.none() | st.integers(0, 100),
    ),
    max_size=2,
).map(tuple)  # fmt: skip
MAKINGS = st.just(ORDINARY) | st.builds(
    Making, st.none() | SIZES, HOOKS, HOOKS, st.none() | st.tuples(TIMES, TIMES), RULES, RULES
)


@st.composite
def changes(draw: st.DrawFn, of: Notebook) -> Notebook:
    """The same notebook at any other time: its id and what it refers to stay, but for its image."""
    wanted, observed = draw(st.sampled_from(PAIRS))
    return Notebook(
        id=of.id,
        project_id=of.project_id,
        owner_id=of.owner_id,
        image_id=draw(st.sampled_from(list(fleet.IMAGES))),
        making=draw(MAKINGS),
        workspace_id=of.workspace_id,
        pool_id=of.pool_id,
        create_at=of.create_at,
        name=draw(TEXTS),
        description=draw(TEXTS),
        feature=draw(st.sampled_from(["NOTEBOOK", "DEFAULT"])),
        flavor=draw(st.sampled_from(["modelarts.vm.cpu.1u", "modelarts.vm.cpu.2u"])),
        volume=draw(VOLUMES),
        lease=draw(LEASES),
        wanted=wanted,
        observed=observed,
        update_at=draw(TIMES),
        generation=draw(st.integers(0, 2**31 - 1)),
        progress=draw(PROGRESS | st.none()),
        fail_reason=draw(TEXTS | st.none()),
        ip=draw(st.sampled_from(["10.0.0.1", "10.0.0.2"]) | st.none()),
        endpoint=draw(TEXTS | st.none()),
        handle=draw(st.binary(max_size=50) | st.none()),
    )


@st.composite
def notebooks(draw: st.DrawFn, number: int = 1) -> Notebook:
    first = fleet.notebook(
        number,
        project_id=draw(st.sampled_from(fleet.PROJECTS)),
        owner_id=draw(st.sampled_from(list(fleet.USERS))),
        image_id=draw(st.sampled_from(list(fleet.IMAGES))),
        workspace_id=draw(st.sampled_from(fleet.WORKSPACES)),
        pool_id=draw(st.sampled_from([None, *fleet.POOLS])),
        create_at=draw(TIMES),
    )
    return draw(changes(first))
