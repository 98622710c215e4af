"""A model's life as its process's health tells it."""

from __future__ import annotations

import functools
import threading

import pytest

from rapport.ops.errors import ModelError, UnavailableError
from rapport.ops.parts import Health
from rapport.serving.device_thread import DeviceThread
from rapport.serving.host import ModelHost
from tests.unit.serving.waiting import until


class Engine:
    def __init__(self, model: str) -> None:
        self.model, self.running = model, False

    def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    def health(self) -> Health:
        return Health(live=self.running, ready=self.running, detail=self.model)


async def test_not_ready_while_loading_and_ready_after(device: DeviceThread) -> None:
    loaded = threading.Event()

    def load() -> str:
        assert loaded.wait(10)
        return f"model on {threading.current_thread().name}"

    host = ModelHost("encoder", device, load, Engine)
    await host.start()
    assert host.health() == Health(ready=False, detail="loading")
    with pytest.raises(UnavailableError, match="loading"):
        _ = host.engine
    loaded.set()
    await until(lambda: host.health().ready)
    assert host.engine.model == "model on test-device_0"
    engine = host.engine
    await host.stop()
    assert not engine.running
    with pytest.raises(UnavailableError):
        _ = host.engine


@pytest.mark.parametrize("error", [ModelError("no weights in /models/x"), OSError("disk")])
async def test_a_model_that_cannot_be_loaded_is_named_and_leaves_the_process_live(
    device: DeviceThread, error: Exception
) -> None:
    def load() -> str:
        raise error

    host = ModelHost("encoder", device, load, Engine)
    await host.start()
    await until(lambda: host.health().detail != "loading")
    assert host.health().live
    assert not host.health().ready
    assert error.args[0] in host.health().detail
    with pytest.raises(UnavailableError, match=str(error.args[0])):
        _ = host.engine
    await host.stop()


async def test_a_dead_engine_makes_the_process_not_live(device: DeviceThread) -> None:
    host = ModelHost("encoder", device, lambda: "m", Engine)
    await host.start()
    await until(lambda: host.health().ready)
    host.engine.running = False
    assert not host.health().live
    await host.stop()


async def test_models_on_one_device_load_one_after_another(device: DeviceThread) -> None:
    order: list[str] = []

    def load(name: str) -> str:
        order.append(f"{name} begins")
        threading.Event().wait(0.02)
        order.append(f"{name} ends")
        return name

    hosts = [ModelHost(name, device, functools.partial(load, name), Engine) for name in "ab"]
    for host in hosts:
        await host.start()
    await until(lambda: all(host.health().ready for host in hosts))
    assert order == ["a begins", "a ends", "b begins", "b ends"]
    for host in hosts:
        await host.stop()
