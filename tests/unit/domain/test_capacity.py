"""Room in a pool."""

from nbfleet.domain.capacity import Room, Size, total


def test_sizes_add_up() -> None:
    assert total([Size(1, 10).times(3), Size(2, 5)]) == Size(5, 35)
    assert total([]) == Size(0, 0)


def test_something_fits_when_both_fit() -> None:
    assert [Size(2, 2).holds(one) for one in (Size(2, 2), Size(3, 1), Size(1, 3))] == [True, False, False]


def test_more_can_be_taken_than_there_is() -> None:
    room = Room(Size(4, 100), Size(5, 30))
    assert (room.free, room.words()) == (Size(0, 70), "0 of 4 vCPUs, 70 of 100 MiB")


def test_devices_count_like_everything_else() -> None:
    room = Room(Size(4, 100, gpus=2), total([Size(1, 10, gpus=1), Size(1, 10)]))
    assert (room.free, room.words()) == (
        Size(2, 80, gpus=1),
        "2 of 4 vCPUs, 80 of 100 MiB, 1 of 2 GPUs",
    )
    assert [room.free.holds(Size(1, 1, gpus=count)) for count in (0, 1, 2)] == [True, True, False]
    assert room.free.holds(Size(1, 1, npus=1)) is False


def test_cores_and_memory_are_promised_several_times_and_devices_once() -> None:
    assert Size(2, 100, 3, 1).overcommitted(1.5) == Size(3, 150, 3, 1)
