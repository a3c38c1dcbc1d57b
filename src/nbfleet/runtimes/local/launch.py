"""What a server or a hook is started with: its command and its environment. Starts nothing itself."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbfleet.runtimes.base import InstanceSpec
from nbfleet.runtimes.local import jupyter
from nbfleet.shelf import Shelf, Unusable


@dataclass(frozen=True, slots=True)
class Launch:
    """`also` names further variables of the service that instances may see; `arguments` are further options
    for JupyterLab; `images` is where the interpreters of registered images are found."""

    python: str
    also: frozenset[str]
    arguments: Sequence[str]
    images: Shelf | None

    def server(
        self, spec: InstanceSpec, socket: Path, home: Path, work: Path
    ) -> tuple[list[str], dict[str, str]]:
        """The command of its server, and the environment."""
        if not spec.image_path:
            command = jupyter.command(self.python, socket, work, spec.base_path, self.arguments)
            return command, self.environment(spec, home)
        python = self._interpreter_of(spec.image_path)
        command = jupyter.command_of_image(python, socket, work, spec.base_path, self.arguments)
        return command, jupyter.environment_of_image(os.environ, python, home, spec.secret, self.also)

    def environment(self, spec: InstanceSpec, home: Path) -> dict[str, str]:
        """That of what needs no interpreter of an image."""
        return jupyter.environment(os.environ, self.python, home, spec.secret, self.also)

    def _interpreter_of(self, image_path: str) -> str:
        """Looked up at each start: what the manifest says now is what runs."""
        if self.images is None:
            raise Unusable(f"there is no place for images, so {image_path} cannot be found")
        return str(self.images.interpreter(image_path))
