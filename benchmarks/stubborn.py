"""The command `nbfleet` on a simulated machine on which some notebooks do not stop.

    python benchmarks/stubborn.py FILE serve --runtime simulated ...

FILE names them: one id in each line.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from nbfleet import server
from nbfleet.cli.main import main
from nbfleet.runtimes.simulated import Behaviour, SimulatedRuntime, World


def with_stubborn(ids: Sequence[str]) -> None:
    """From now on the service has a machine on which these do not stop."""
    world = World()
    world.scripted.update(dict.fromkeys(ids, Behaviour(stop_fail_reason="simulated: it does not stop")))
    server.SimulatedRuntime = lambda: SimulatedRuntime(world=world)


if __name__ == "__main__":
    file, *words = sys.argv[1:]
    with_stubborn(Path(file).read_text(encoding="utf-8").split())
    sys.argv[1:] = words
    main()
