"""The training loop: it learns, repeats itself, and goes on where it was stopped."""

import contextlib
import dataclasses
import functools
import io
import json
import shutil
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import neurokit as nk
from neurokit.progress import progress_bar
from neurokit.training import (
    batches,
    checkpoints,
    distributed,
    fit,
    plan,
    scalars,
    schedule,
    trainer,
)


class Regression(nn.Module):
    """Linear regression with dropout, so that the random state matters; it may be told to die."""

    def __init__(self, dies_at=None, n=4, dropout=0.1):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)
        self.weight = nn.Parameter(torch.randn(n, 1, generator=generator))
        self.bias = nn.Parameter(torch.zeros(1))
        self.calls, self.dies_at, self.dropout = 0, dies_at, dropout

    def loss(self, batch):
        self.calls += self.training
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        x = nn.functional.dropout(batch["x"], self.dropout, self.training)
        error = ((x @ self.weight + self.bias - batch["y"]) ** 2).mean()
        return {"loss": error, "bias": self.bias.sum()}


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(37, 4, generator=generator)
    y = x @ torch.tensor([[1.0], [-1.0], [0.5], [0.0]]) + 2
    return [{"x": a, "y": b} for a, b in zip(x, y, strict=True)]


def train(model, data, validation=None, **options):
    settings = {"epochs": 6, "batch_size": 8, "lr": 0.05, "device": "cpu", "progress": False}
    return fit(model, data, validation, **(settings | options))


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
    assert {path.name for path in tmp_path.iterdir()} == {
        *("checkpoint.pt", "config.json", "environment.json", "metrics.jsonl")
    }


def test_a_finished_run_is_not_repeated_unless_asked(data, tmp_path):
    done = train(Regression(), data, checkpoint_dir=tmp_path)
    again = train(Regression(dies_at=1), data, checkpoint_dir=tmp_path)
    assert again.resumed_at == 6
    assert torch.equal(done.model.weight, again.model.weight)
    fresh = train(Regression(), data, checkpoint_dir=tmp_path, resume=False)
    assert fresh.resumed_at == 0


def test_a_run_with_other_settings_is_not_continued(data, tmp_path):
    train(Regression(), data, checkpoint_dir=tmp_path)
    with pytest.raises(nk.errors.DataError, match=r"other settings: lr 0.05, not 0.1.*--output"):
        train(Regression(), data, checkpoint_dir=tmp_path, lr=0.1)
    wide = [{"x": torch.zeros(5), "y": torch.zeros(1)}] * 37
    with pytest.raises(nk.errors.DataError, match=r"weight \(4, 1\)"):
        train(Regression(n=5), wide, checkpoint_dir=tmp_path)
    with pytest.raises(nk.errors.DataError, match=r"training data '\w+', not '\w+'"):
        train(Regression(), [{**data[0], "y": torch.zeros(1)}, *data[1:]], checkpoint_dir=tmp_path)
    with pytest.raises(nk.errors.DataError, match="no run to resume"):
        train(Regression(), data, checkpoint_dir=tmp_path / "other", resume=True)


@dataclasses.dataclass
class Rates:
    dropout: float = 0.1
    scale: float = 1.0


def test_a_run_of_a_model_with_other_settings_is_not_continued(data, tmp_path):
    model, other = Regression(), Regression()
    model.config, other.config = Rates(scale=np.float64(1)), Rates(dropout=0.3)
    train(model, data, checkpoint_dir=tmp_path)
    assert train(model, data, checkpoint_dir=tmp_path).resumed_at == 6
    with pytest.raises(nk.errors.DataError, match=r"settings: config dropout 0\.1, not 0\.3\. Ch"):
        train(other, data, checkpoint_dir=tmp_path)


def test_biases_of_several_subjects_do_not_decay():
    model = nn.ModuleDict({"one": nn.Linear(2, 3)})
    model["one"].bias = nn.Parameter(torch.zeros(4, 3))
    decaying, others = schedule.parameter_groups(model, 0.1)
    assert [p.shape for p in decaying["params"]] == [(3, 2)]
    assert others == {"params": [model["one"].bias], "weight_decay": 0.0}


class Words(nn.Module):
    undecayed = ("table.weight", "end")

    def __init__(self):
        super().__init__()
        self.table, self.read = nn.Embedding(5, 3), nn.Linear(3, 2)
        self.end = nn.Parameter(torch.zeros(1, 3))


def test_what_a_module_names_does_not_decay_wherever_it_stands():
    words = Words()
    for model in (words, nn.ModuleDict({"deep": nn.Sequential(words)})):
        decaying, others = schedule.parameter_groups(model, 0.1)
        assert [id(p) for p in decaying["params"]] == [id(words.read.weight)]
        assert {id(p) for p in others["params"]} == {
            *map(id, (words.table.weight, words.end, words.read.bias))
        }
    words.table.requires_grad_(False)
    assert len(schedule.parameter_groups(words, 0.1)[1]["params"]) == 2
    words.undecayed = ("tabel.weight",)
    with pytest.raises(AttributeError, match="tabel"):
        schedule.parameter_groups(words, 0.1)


BROKEN = (b"", b"no checkpoint", b"hello", b"PK\x03\x04")


@pytest.mark.parametrize("content", [*BROKEN, [1]])
def test_a_broken_checkpoint_is_refused(data, tmp_path, content):
    if not isinstance(content, bytes):
        torch.save(content, file := io.BytesIO())
        content = file.getvalue()
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


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_trains_too(data, precision):
    run = train(Regression(), data, epochs=40, precision=precision)
    assert run.history["loss"].iloc[-1] < run.history["loss"].iloc[0] / 3
    assert run.model.weight.dtype == torch.float32


def test_a_float16_run_keeps_its_scale(data, tmp_path):
    whole = train(Regression(), data, precision="float16")
    with pytest.raises(KeyboardInterrupt):
        train(Regression(dies_at=18), data, precision="float16", checkpoint_dir=tmp_path)
    assert checkpoints.load_checkpoint(tmp_path, {})["scaler"]["scale"] > 1
    rest = train(Regression(), data, precision="float16", checkpoint_dir=tmp_path)
    assert torch.equal(whole.model.weight, rest.model.weight)


@pytest.mark.parametrize("accumulate", [2, 3, 8])
def test_pieces_of_a_batch_add_up_to_it(data, accumulate):
    model = Regression(dropout=0.0)
    whole = train(Regression(dropout=0.0), data)
    pieces = train(model, data, accumulate=accumulate)
    torch.testing.assert_close(pieces.model.weight, whole.model.weight, atol=1e-6, rtol=0)
    assert pieces.history["loss"].tolist() == pytest.approx(whole.history["loss"].tolist())
    # 37 samples are four batches of eight and one of five.
    assert model.calls == 6 * (4 * accumulate + min(accumulate, 5))


def test_the_first_step_is_that_of_adamw(data):
    model, theirs = Regression(dropout=0.0), Regression(dropout=0.0)
    train(model, data, epochs=1, batch_size=37, warmup=0, weight_decay=0.1)
    groups = schedule.parameter_groups(theirs, 0.1)
    optimiser = torch.optim.AdamW(groups, lr=0.05)
    theirs.loss(torch.utils.data.default_collate(data))["loss"].backward()
    nn.utils.clip_grad_norm_([theirs.weight, theirs.bias], 1.0)
    optimiser.step()
    torch.testing.assert_close(model.weight, theirs.weight)
    torch.testing.assert_close(model.bias, theirs.bias)


def test_a_step_does_not_wait_for_the_device(data, monkeypatch):
    asked = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            asked.append(function is torch.ops.aten._local_scalar_dense.default)
            return function(*args, **(kwargs or {}))

    team = distributed.form_team("cpu")
    ours = trainer.Trainer(Regression(), data, None, plan.Plan(1, 8, 0.1), team, False)
    monkeypatch.setattr(ours, "_check_finite", lambda: None)
    with Watch():
        ours._step([0, 1, 2], 0)
    assert len(asked) > 20
    assert not any(asked)


def test_a_compiled_loss_is_the_same_loss(data, monkeypatch):
    calls = []

    def compiled(module):
        calls.append(module)
        return lambda batch: module(batch)

    monkeypatch.setattr(torch, "compile", compiled)
    ours = train(Regression(), data, validation=data[:5], compile=True)
    assert len(calls) == 1
    assert ours.history.equals(train(Regression(), data, validation=data[:5]).history)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_pytorch_compiles_the_loss(data):
    ours = train(Regression(dropout=0.0), data, validation=data[:5], compile=True)
    theirs = train(Regression(dropout=0.0), data, validation=data[:5])
    torch.testing.assert_close(ours.model.weight, theirs.model.weight, atol=1e-4, rtol=1e-4)


class Climber(nn.Module):
    """Goes up for ever, past what validation asks for."""

    def __init__(self):
        super().__init__()
        self.height = nn.Parameter(torch.zeros(1))
        self.register_buffer("seen", torch.zeros(()))

    def loss(self, batch):
        self.seen += self.training
        goal = 9.0 if self.training else 0.5
        return {"loss": ((batch["x"] + self.height - goal) ** 2).mean()}


def test_patience_keeps_the_best_weights(tmp_path):
    data = [{"x": torch.zeros(1)}] * 4
    options = {"epochs": 40, "batch_size": 2, "lr": 0.1, "warmup": 0, "checkpoint_dir": tmp_path}
    run = train(Climber(), data, data, patience=3, **options)
    losses = run.history["validation_loss"]
    assert run.best_epoch == losses.argmin() + 1 < 10
    assert len(losses) == run.best_epoch + 3
    assert (run.model.height.item() - 0.5) ** 2 == pytest.approx(losses.min())
    assert run.model.seen == 2 * run.best_epoch
    # A run that has stopped is not taken up again, and has the best weights on disk.
    again = train(Climber(), data, data, patience=3, **options)
    assert torch.equal(again.model.height, run.model.height)
    assert again.history.equals(run.history)
    assert train(Climber(), data, data, **options | {"checkpoint_dir": None}).best_epoch is None


def test_an_interrupted_run_keeps_its_patience(tmp_path):
    data = [{"x": torch.zeros(1)}] * 4
    options = {"epochs": 40, "batch_size": 2, "lr": 0.1, "warmup": 0, "patience": 3}
    whole = train(Climber(), data, data, **options)

    class Stop:
        def on_step(self, state):
            if state.epoch == whole.best_epoch + 2:
                raise KeyboardInterrupt

        def on_epoch(self, state):
            pass

    with pytest.raises(KeyboardInterrupt):
        train(Climber(), data, data, checkpoint_dir=tmp_path, callbacks=[Stop()], **options)
    rest = train(Climber(), data, data, checkpoint_dir=tmp_path, **options)
    assert rest.history.equals(whole.history)
    assert torch.equal(rest.model.height, whole.model.height)


def test_callbacks_see_steps_and_epochs(data):
    steps, epochs = [], []

    class Watch:
        def on_step(self, state):
            steps.append((state.epoch, state.step, state.metrics["loss"].requires_grad))

        def on_epoch(self, state):
            epochs.append((state.epoch, state.step, state.lr, state.metrics["validation_loss"]))

    run = train(Regression(), data, data[:5], epochs=2, callbacks=[Watch()])
    assert steps == [(1 + step // 5, 1 + step, False) for step in range(10)]
    expected = run.history[["epoch", "lr", "validation_loss"]].to_numpy().tolist()
    assert [[epoch, lr, loss] for epoch, _, lr, loss in epochs] == expected
    assert [step for _, step, *_ in epochs] == [5, 10]


def test_tensorboard_gets_each_scalar(data, tmp_path, monkeypatch):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = nk.training.TensorBoard(tmp_path)
    run = train(Regression(), data, data[:5], epochs=3, callbacks=[board])
    written = events.EventAccumulator(str(tmp_path))
    written.Reload()
    assert {"loss", "lr", "validation_loss"} <= set(written.Tags()["scalars"])
    points = written.Scalars("validation_loss")
    assert [point.step for point in points] == [1, 2, 3]
    expected = run.history["validation_loss"].to_numpy()
    assert [point.value for point in points] == pytest.approx(expected, rel=1e-6)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(nk.errors.MissingExtraError, match=r"neurokit-brain\[tensorboard\]"):
        nk.training.TensorBoard(tmp_path)


def test_parts_that_are_frozen_as_a_whole_do_not_change_by_training(data):
    model = Regression()
    model.frozen_part = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).requires_grad_(False)
    inner, modes = model.loss, []
    model.loss = lambda batch: (
        modes.append((model.training, model.frozen_part[1].training))
        or inner({**batch, "x": model.frozen_part(batch["x"])})
    )
    train(model, data, data[:5], epochs=1)
    assert modes == [(True, False)] * 5 + [(False, False)]
    assert model.frozen_part[1].running_mean.abs().sum() == 0


def test_the_run_describes_itself(data, tmp_path):
    train(Regression(), data, checkpoint_dir=tmp_path, min_lr=0.01)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model"] == "Regression"
    assert (config["min_lr"], config["n_samples"]) == (0.01, 37)
    environment = json.loads((tmp_path / "environment.json").read_text())
    assert environment["packages"]["torch"] == torch.__version__
    assert environment["device"] == "cpu"
    assert str(tmp_path) not in (tmp_path / "environment.json").read_text()


def test_the_bar_shows_loss_rate_and_time_left(data, capfd, monkeypatch):
    often = functools.partial(progress_bar, mininterval=0)
    monkeypatch.setattr(trainer, "progress_bar", often)
    train(Regression(), data, epochs=2, progress=True)
    shown = capfd.readouterr().err
    assert "epoch 1/2" in shown
    assert "/74 [" in shown
    assert "loss=" in shown
    assert " samples/s" in shown
    train(Regression(), data, epochs=2, progress=False)
    assert not capfd.readouterr().err


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
        ({"min_lr": 0.1}, r"min_lr is 0.1, expected a rate from 0 to lr \(0.05\)"),
        ({"warmup": 1.0}, "warmup is 1.0, expected a share"),
        ({"accumulate": 9}, "accumulate is 9, more pieces than the 8 samples"),
        ({"patience": 0}, "patience is 0"),
        ({"patience": 1}, "patience needs a validation set"),
        ({"seed": -1}, "seed is -1"),
        ({"checkpoint_every": 0}, "checkpoint_every is 0"),
        ({"checkpoint_every": "soon"}, "checkpoint_every is 'soon', expected a number of steps"),
        ({"callbacks": [print]}, r"A callback is .*, expected an object with on_step\(state\)"),
        ({"validation": []}, "validation set is empty"),
        ({"validation": 3}, "validation set is 3"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
        ({"resume": "maybe"}, "resume is 'maybe'"),
    ],
)
def test_bad_settings_are_refused(data, options, message):
    with pytest.raises(nk.errors.DataError, match=message):
        train(Regression(), data, **options)


def test_what_cannot_be_trained_is_refused(data):
    with pytest.raises(nk.errors.DataError, match="The data set is empty"):
        train(Regression(), [])
    with pytest.raises(nk.errors.DataError, match="All parameters of this Regression are frozen"):
        train(Regression().requires_grad_(False), data)
    with pytest.raises(nk.errors.DataError, match=r"expected a model with loss"):
        train(nn.Linear(2, 2), data)
    with pytest.raises(nk.errors.DataError, match=r"is the class EEGFormer.*Make one.*EEGFormer\("):
        train(nk.models.EEGFormer, data)
    data[3]["x"][0] = float("nan")
    with pytest.raises(nk.errors.DataError, match=r"not finite at step \d \(epoch 1\)"):
        train(Regression(), data)
    with pytest.raises(nk.errors.DataError, match="validation loss is nan after epoch 1"):
        train(Regression(), data[4:], data[:4])


def test_a_gradient_that_is_not_finite_is_noticed_before_it_does_harm(data):
    model = Regression()
    inner = model.loss
    model.loss = lambda batch: {
        "loss": inner(batch)["loss"] + ((model.bias * 0).sqrt().sum() if model.calls == 3 else 0)
    }
    with pytest.raises(nk.errors.DataError, match=r"gradient is not finite at step 2 \(epoch 1\)"):
        train(model, data, warmup=0)
    assert bool(model.bias.isfinite().all())


def test_the_first_bad_step_is_named_however_late_one_looks():
    watch = scalars.FiniteWatch(torch.device("cpu"))
    for step, value in enumerate([1.0, 2.0, float("inf"), float("nan"), 1.0]):
        watch.look(step, torch.tensor(value))
    with pytest.raises(nk.errors.DataError, match=r"at step 2 \(epoch 2\)"):
        watch.check(2, 0.1)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([{"x": torch.zeros(4)}, {"x": torch.zeros(5)}], r"Samples \d and \d .*do not fit in one"),
        ([{"x": torch.zeros(4)}, {"z": torch.zeros(4)}], r"Samples \d and \d .*'z'"),
        ([{"x": torch.zeros(4)}, torch.zeros(4)], r"Sample 1 of the data set is a Tensor"),
    ],
)
def test_samples_that_do_not_fit_together_are_named(samples, message):
    with pytest.raises(nk.errors.DataError, match=message):
        train(Regression(), samples)


def test_the_model_is_asked_whether_windows_fit(data):
    class Windowlike(list):
        sampling_rate = 10.0

    model = Regression()

    def check(win):
        raise nk.errors.DataError(f"{win.sampling_rate} Hz will not do.")

    model.check = check
    with pytest.raises(nk.errors.DataError, match=r"10\.0 Hz will not do"):
        train(model, Windowlike(data))
    with pytest.raises(nk.errors.DataError, match=r"10\.0 Hz will not do"):
        train(model, data, Windowlike(data[:5]))
    train(model, data, epochs=1)


def test_a_loss_without_a_loss_is_named(data):
    model = Regression()
    model.loss = lambda batch: {"error": model.bias.sum()}
    with pytest.raises(nk.errors.DataError, match=r"returned \['error'\], without 'loss'"):
        train(model, data)
    model.loss = lambda batch: {"loss": model.bias.sum(), "each": batch["y"]}
    with pytest.raises(nk.errors.DataError, match=r"returned 'each' of shape \(8, 1\)"):
        train(model, data)


def test_every_sample_comes_once_an_epoch_in_another_order():
    data = [{"x": torch.tensor(i)} for i in range(20)]
    orders = [
        [v for rows in batches.batch_rows(20, 6, seed) for v in batches.batch_of(data, rows)["x"]]
        for seed in (1, 2)
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(20))
    assert orders[0] != orders[1]


def test_learning_rate_rises_then_falls_to_its_end():
    rates = [schedule.learning_rate(step, 200, 3e-4, 5e-5) for step in range(200)]
    assert max(rates) == rates[10] == 3e-4
    assert rates[0] == pytest.approx(3e-5)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(5e-5, rel=1e-2)
    assert schedule.learning_rate(0, 1, 1.0) == schedule.learning_rate(0, 9, 1.0, warmup=0) == 1.0


@pytest.mark.parametrize(("n_epochs", "warns"), [(1, True), (2, False)])
def test_parts_that_training_left_short_are_told_of(data, n_epochs, warns):
    model = Regression()
    model.part = nk.models.VectorQuantizer(2, 4, kmeans_batches=6)
    plain = model.loss
    model.loss = lambda batch: {"loss": plain(batch)["loss"] + model.part(batch["x"])[2]}
    expected = contextlib.nullcontext()
    if warns:
        expected = pytest.warns(UserWarning, match="kmeans_batches=6 training batches.* were 5")
    with expected:
        train(model, data, epochs=n_epochs)
