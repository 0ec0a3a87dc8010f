"""The one place that finds devices."""

import pytest
import torch

from neurokit import devices
from neurokit.errors import DataError


def test_auto_takes_the_best_that_is_there(monkeypatch):
    assert devices.find_device().type in {"cuda", "mps", "cpu"}
    for found, best in ([], "cpu"), (["mps"], "mps"), (["cuda", "mps"], "cuda"):
        monkeypatch.setattr(devices, "accelerators", lambda found=found: found)
        assert devices.find_device("auto") == torch.device(best)


def test_what_pytorch_finds_is_listed_best_first(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.accelerators() == ["cuda", "mps"]


@pytest.mark.parametrize("device", ["abacus", "cuda:99", 3.5, None])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(DataError, match=rf"device '{device}' cannot be used: .*Try 'auto'"):
        devices.find_device(device)


def test_a_device_of_torch_is_taken_as_it_is():
    assert devices.find_device(torch.device("cpu")) == torch.device("cpu")


def test_drivers_tell_whether_to_ask(monkeypatch, tmp_path):
    monkeypatch.setattr(devices.sys, "platform", "linux")
    monkeypatch.setattr(devices, "DRIVERS", (str(tmp_path / "driver"),))
    assert not devices.may_have_accelerator()
    (tmp_path / "driver").touch()
    assert devices.may_have_accelerator()
    monkeypatch.setattr(devices, "DRIVERS", ())
    monkeypatch.setattr(devices.sys, "platform", "darwin")
    assert devices.may_have_accelerator()


def test_a_lent_model_comes_back_part_by_part():
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.BatchNorm1d(2)).train()
    model[1].eval()  # a frozen part, which one flag for the whole would set to training

    def fail():
        with devices.lent(model, "cpu") as place:
            assert place == torch.device("cpu")
            assert not any(part.training for part in model.modules())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="^$"):
        fail()
    assert [part.training for part in model.modules()] == [True, True, False]
    with devices.lent(torch.nn.Linear(1, 1, device="meta")) as place:
        assert place.type == "meta"  # unless told, it stays where it is


def test_doubles_stay_where_the_device_has_none():
    batch = {"start": torch.zeros(2, dtype=torch.float64), "name": "a"}
    assert devices.moved(batch, torch.device("mps"))["start"].device.type == "cpu"
    there = devices.moved({**batch, "x": torch.zeros(2)}, torch.device("meta"))
    assert there["x"].device.type == there["start"].device.type == "meta"
    assert there["name"] == "a"
