"""Storage that accepts connections and never answers: who waits for it, and who does not."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from nbfleet.domain.storage import Source
from nbfleet.runtimes.base import Attachment, InstanceRef, InstanceSpec, Presence, StartFailed
from nbfleet.runtimes.local import LocalRuntime, mounting
from nbfleet.settings import ObjectStorageSettings
from support.local_instances import PATIENCE, new_fleet, new_spec, start

pytestmark = pytest.mark.skipif(
    mounting.obstacle_to_objects() is not None, reason="the tests may not mount buckets here"
)
AT_ONCE = 10.0  # Seconds; what hangs is given up after far more.


class Silence:
    """An endpoint for object storage. It says nothing until it is told to refuse."""

    def __init__(self) -> None:
        self.asked: set[str] = set()  # Buckets.
        self.refuses = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readline()).decode().partition(" /")[2]
        self.asked.add(target.partition("/")[0])
        await self.refuses.wait()
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not enough():  # noqa: ASYNC110 - it waits for other processes.
                await asyncio.sleep(0.02)


class Yard:
    def __init__(self, directory: Path) -> None:
        self.root, self.fleet = directory / "instances", new_fleet()
        self.keys = directory / "keys"
        self.keys.touch(mode=0o600)
        self.keys.write_text("AKEXAMPLE:secret\n")
        self.runtime = LocalRuntime(self.root, self.fleet)

    @asynccontextmanager
    async def silence(self) -> AsyncGenerator[Silence]:
        """The runtime of the yard has its buckets there."""
        made = Silence()
        server = await asyncio.start_server(made.serve, "127.0.0.1")
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        objects = ObjectStorageSettings(endpoint=endpoint, access_key_file=str(self.keys))
        self.runtime = LocalRuntime(self.root, self.fleet, objects=objects)
        try:
            yield made
        finally:
            made.refuses.set()
            server.close()

    def run(self) -> InstanceRef:
        return start(self.runtime, new_spec())[1]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def bucket(name: str) -> Attachment:
    return Attachment(name, "OBS", f"/data/{name}/", Source(f"obs://{name}/dir1/"))


async def fails_to_start(runtime: LocalRuntime, spec: InstanceSpec) -> str:
    with pytest.raises(StartFailed) as failed:
        async for _ in runtime.start(spec):
            pass
    return failed.value.reason.partition(":")[0]


def test_neither_looks_nor_stops_of_others_wait_for_storage_that_hangs(yard: Yard) -> None:
    running = yard.run()

    async def test() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        names = [f"bucket-{number}" for number in range(4)]
        async with yard.silence() as silence:
            specs = [replace(new_spec(), volumes=(bucket(name),)) for name in names]
            starts = [asyncio.ensure_future(fails_to_start(yard.runtime, spec)) for spec in specs]
            await silence.until(lambda: len(silence.asked) >= 2)
            async with asyncio.timeout(AT_ONCE):
                seen = await yard.runtime.observe([running])
                assert [one.presence for one in seen] == [Presence.READY]
                await yard.runtime.stop(running)
                await yard.runtime.delete(running)
                assert await yard.runtime.inventory() == []
            await silence.until(lambda: silence.asked == set(names))
            silence.refuses.set()
            assert await asyncio.gather(*starts) == [f"/data/{name}/" for name in names]

    asyncio.run(test())
    assert mounting.points_below(yard.root) == {}


def test_a_stop_waits_for_what_is_being_attached_and_for_no_more_after_it(yard: Yard) -> None:
    running = yard.run()

    async def test() -> None:
        async with yard.silence() as silence:
            first = asyncio.ensure_future(yard.runtime.attach(running, bucket("bucket-0")))
            await silence.until(lambda: silence.asked == {"bucket-0"})
            names = [f"bucket-{number}" for number in range(1, 6)]
            more = [asyncio.ensure_future(yard.runtime.attach(running, bucket(name))) for name in names]
            stop = asyncio.ensure_future(yard.runtime.stop(running))
            await asyncio.sleep(0.2)
            assert not stop.done()
            silence.refuses.set()
            await stop
            faults = [type(fault) for fault in await asyncio.gather(*more, return_exceptions=True)]
            assert faults == [ProcessLookupError] * len(names)
            assert silence.asked == {"bucket-0"}
            await asyncio.gather(first, return_exceptions=True)

    asyncio.run(test())
    assert mounting.points_below(yard.root) == {}
