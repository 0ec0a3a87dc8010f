"""What training does not change is computed once, and changes nothing."""

import pytest
import torch
from torch import nn

from neurokit.models import DuIN, DuINConfig, DuINMasked
from neurokit.training import fit
from neurokit.training.constants import WithConstants, with_constants


class Line(nn.Module):
    """Learns the square of a number, which it computes at great cost."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.asked_for = []

    def constants(self, batch):
        assert not self.training
        self.asked_for += batch["x"].tolist()
        return {"square": batch["x"] ** 2}

    def loss(self, batch):
        return {"loss": (self.weight * batch["x"] - batch["square"]).square().mean()}


@pytest.fixture
def data():
    return [{"x": torch.tensor(float(i))} for i in range(1, 6)]


def test_each_sample_is_asked_for_once(data, monkeypatch):
    model = Line()
    options = {"epochs": 10, "batch_size": 2, "lr": 0.2, "device": "cpu", "progress": False}
    fit(model, data, data[3:], **options)
    assert model.asked_for == [1, 2, 3, 4, 5, 4, 5]
    # The same numbers as part of the data lead to the same weight, bit for bit.
    given = [{"x": sample["x"], "square": sample["x"] ** 2} for sample in data]
    other = Line()
    monkeypatch.delattr(Line, "constants")
    fit(other, given, **options)
    assert model.weight.item() == other.weight.item() != 0


def test_samples_that_differ_from_one_reading_to_the_next_have_no_constants():
    class Noise:
        def __len__(self):
            return 3

        def __getitem__(self, row):
            return {"x": torch.rand(())}

    data = Noise()
    assert with_constants(Line(), data, 2) is data


def test_whoever_asks_to_stop_does_not_wait(data):
    assert with_constants(Line(), data, 2, asked=[15]) is data


def test_a_model_without_constants_is_left_alone(data):
    assert with_constants(nn.Linear(1, 1), data, 2) is data


def test_masked_codes_are_the_same_kept_or_computed(monkeypatch):
    config = DuINConfig.preset("tiny", channels=(2,), n_samples=400)
    tokenizer = DuIN(config)
    data = [
        {"x": torch.randn(400, 2, generator=torch.Generator().manual_seed(i))} for i in range(5)
    ]
    runs = []
    for kept in (True, False):
        if not kept:
            monkeypatch.delattr(DuINMasked, "constants")
        model = DuINMasked(config, tokenizer=tokenizer)
        assert isinstance(with_constants(model, data, 2), WithConstants) == kept
        runs.append(fit(model, data, epochs=2, batch_size=2, lr=1e-3, device="cpu", progress=False))
    first, second = (run.history["loss"].tolist() for run in runs)
    assert first == second
