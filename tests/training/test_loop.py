"""The training loop: it learns, repeats itself, and goes on where it was stopped."""

import json

import pytest
import torch
from torch import nn

import neurokit as nk
from neurokit.training import checkpoints, devices, fit, schedule


class Regression(nn.Module):
    """Linear regression with dropout, so that the random state matters; it may be told to die."""

    def __init__(self, dies_at=None, n=4):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)
        self.weight = nn.Parameter(torch.randn(n, 1, generator=generator))
        self.bias = nn.Parameter(torch.zeros(1))
        self.calls, self.dies_at = 0, dies_at

    def loss(self, batch):
        self.calls += self.training
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        x = nn.functional.dropout(batch["x"], 0.1, self.training)
        error = ((x @ self.weight + self.bias - batch["y"]) ** 2).mean()
        return {"loss": error, "bias": self.bias.sum()}


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(37, 4, generator=generator)
    y = x @ torch.tensor([[1.0], [-1.0], [0.5], [0.0]]) + 2
    return [{"x": a, "y": b} for a, b in zip(x, y, strict=True)]


def train(model, data, **options):
    settings = {"epochs": 6, "batch_size": 8, "lr": 0.05, "device": "cpu", "progress": False}
    return fit(model, data, **(settings | options))


def test_it_learns_and_reports(data):
    run = train(Regression(), data, validation=data[:5], epochs=60)
    assert list(run.history) == [
        *("epoch", "lr", "loss", "bias", "validation_loss", "validation_bias")
    ]
    assert run.history["validation_loss"].iloc[-1] < 0.2 < run.history["validation_loss"].iloc[0]
    assert run.resumed_at == 0
    assert not run.model.training
    assert abs(run.model.bias.item() - 2) < 0.3
    assert bool((run.model.frozen == 1).all())


def test_the_seed_decides_and_the_callers_random_state_is_left_alone(data):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (train(Regression(), data, seed=s).model.weight for s in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("dies_at", [8, 18, 30])
def test_an_interrupted_run_ends_as_if_it_had_not_been(data, tmp_path, dies_at):
    whole = train(Regression(), data, validation=data[:5])
    with pytest.raises(KeyboardInterrupt):
        train(Regression(dies_at), data, validation=data[:5], checkpoint_dir=tmp_path)
    rest = train(Regression(), data, validation=data[:5], checkpoint_dir=tmp_path)
    assert rest.resumed_at == (dies_at - 1) // 5
    assert torch.equal(whole.model.weight, rest.model.weight)
    assert torch.equal(whole.model.bias, rest.model.bias)
    assert whole.history.equals(rest.history)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert {path.name for path in tmp_path.iterdir()} == {"metrics.jsonl", "checkpoint.pt"}


def test_a_finished_run_is_not_repeated_unless_asked(data, tmp_path):
    done = train(Regression(), data, checkpoint_dir=tmp_path)
    again = train(Regression(dies_at=1), data, checkpoint_dir=tmp_path)
    assert again.resumed_at == 6
    assert torch.equal(done.model.weight, again.model.weight)
    fresh = train(Regression(), data, checkpoint_dir=tmp_path, resume=False)
    assert fresh.resumed_at == 0


def test_a_run_with_other_settings_is_not_continued(data, tmp_path):
    train(Regression(), data, checkpoint_dir=tmp_path)
    with pytest.raises(nk.errors.DataError, match=r"other settings: lr 0.05, not 0.1"):
        train(Regression(), data, checkpoint_dir=tmp_path, lr=0.1)
    wide = [{"x": torch.zeros(5), "y": torch.zeros(1)}] * 37
    with pytest.raises(nk.errors.DataError, match=r"weight \(4, 1\)"):
        train(Regression(n=5), wide, checkpoint_dir=tmp_path)
    with pytest.raises(nk.errors.DataError, match="no run to resume"):
        train(Regression(), data, checkpoint_dir=tmp_path / "other", resume=True)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04"])
def test_a_broken_checkpoint_is_refused(data, tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(nk.errors.ReadError, match="not a checkpoint"):
        train(Regression(), data, checkpoint_dir=tmp_path)


def test_a_checkpoint_cannot_run_code(data, tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    torch.save({"settings": Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(nk.errors.ReadError, match="not a checkpoint"):
        train(Regression(), data, checkpoint_dir=tmp_path)


def test_frozen_weights_are_not_stored(data, tmp_path):
    train(Regression(), data, checkpoint_dir=tmp_path)
    assert set(checkpoints.load_checkpoint(tmp_path, {})["model"]) == {"weight", "bias"}


def test_bfloat16_trains_too(data):
    run = train(Regression(), data, epochs=40, precision="bfloat16")
    assert run.history["loss"].iloc[-1] < run.history["loss"].iloc[0] / 3
    assert run.model.weight.dtype == torch.float32


def test_windows_are_batched_by_themselves():
    rec = nk.Recording.from_array(torch.randn(400, 3).numpy(), 10, stream="bold")
    win = nk.windows.sliding(rec, stream="bold", length=2)

    class Mean(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = nn.Parameter(torch.zeros(3))

        def loss(self, batch):
            return {"loss": ((batch["x"] - self.mean) ** 2).mean()}

    model = train(Mean(), win, epochs=30).model
    expected = torch.from_numpy(rec["bold"].values.mean(axis=0))
    assert torch.allclose(model.mean.detach(), expected.float(), atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0, expected 0"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
        ({"resume": "maybe"}, "resume is 'maybe'"),
    ],
)
def test_bad_settings_are_refused(data, options, message):
    with pytest.raises(nk.errors.DataError, match=message):
        train(Regression(), data, **options)


def test_what_cannot_be_trained_is_refused(data):
    with pytest.raises(nk.errors.DataError, match="data set is empty"):
        train(Regression(), [])
    with pytest.raises(nk.errors.DataError, match="All parameters of this Regression are frozen"):
        train(Regression().requires_grad_(False), data)
    with pytest.raises(nk.errors.DataError, match=r"expected a model with loss"):
        train(nn.Linear(2, 2), data)
    data[3]["x"][0] = float("nan")
    with pytest.raises(nk.errors.DataError, match=r"loss became nan at step \d"):
        train(Regression(), data)


def test_a_loss_without_a_loss_is_named(data):
    model = Regression()
    model.loss = lambda batch: {"error": model.bias.sum()}
    with pytest.raises(nk.errors.DataError, match=r"returned \['error'\], without 'loss'"):
        train(model, data)


def test_every_sample_comes_once_an_epoch_in_another_order():
    data = [{"x": torch.tensor(i)} for i in range(20)]
    orders = [
        [v for b in schedule.batches(data, 6, seed) for v in b["x"].tolist()] for seed in (1, 2)
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(20))
    assert orders[0] != orders[1]


def test_learning_rate_rises_then_falls():
    rates = [schedule.learning_rate(step, 200) for step in range(200)]
    assert max(rates) == 1.0
    assert rates.index(1.0) in (9, 10)
    assert rates[0] == 0.1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert schedule.learning_rate(0, 1) == 1.0


def test_auto_finds_a_device():
    assert devices.find_device().type in {"cuda", "mps", "cpu"}
