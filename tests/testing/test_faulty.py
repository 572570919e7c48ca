from __future__ import annotations

import threading

import pytest

from gitcto.testing import Faulty


class Real:
    name = "real"

    def start(self, value: int) -> int:
        return value + 1

    def stop(self) -> str:
        return "stopped"


def test_only_one_thing_breaks() -> None:
    faulty = Faulty(Real(), on="start", error=OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        faulty.start(1)  # type: ignore[operator]
    assert faulty.stop() == "stopped"  # type: ignore[operator]
    assert faulty.name == "real"


def test_garbage_is_returned() -> None:
    assert Faulty(Real(), on="stop", garbage=b"\0").stop() == b"\0"  # type: ignore[operator]


def test_a_hang_can_be_released() -> None:
    faulty = Faulty(Real(), on="stop", hang=True)
    thread = threading.Thread(target=faulty.stop)  # type: ignore[arg-type]
    thread.start()
    thread.join(0.01)
    assert thread.is_alive()
    faulty.release()
    thread.join(10)
    assert not thread.is_alive()
