"""Fine-tuning tells planted classes apart, leaves the model as it was, and refuses bad labels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import neurokit as nk
from neurokit.models.nn import Classifier, Pretrained
from neurokit.training import finetune, predict


@dataclass(frozen=True)
class BackboneConfig:
    width: int = 3


class Backbone(Pretrained):
    """Mean power of each channel, normalised and turned: it has weights, buffers and dropout."""

    config_class = BackboneConfig

    def __init__(self, config=BackboneConfig()):
        super().__init__(config)
        generator = torch.Generator().manual_seed(0)
        self.norm = nn.BatchNorm1d(2)
        self.turn = nn.Linear(2, config.width)
        with torch.no_grad():
            self.turn.weight.copy_(torch.randn(config.width, 2, generator=generator))
            self.turn.bias.zero_()
        self.dropout = nn.Dropout(0.2)

    def represent(self, batch):
        return self.dropout(self.turn(self.norm(batch["x"].square().mean(dim=1))))

    def check(self, win):
        if win.sampling_rate != 50:
            raise nk.errors.DataError(f"Expected 50 Hz; got {win.sampling_rate:g} Hz.")

    def classifier(self, classes, **head):
        return Classifier(self, classes, **head)

    def example(self):
        return {"x": torch.randn(2, 50, 2, generator=torch.Generator().manual_seed(0))}


SETTINGS = {"epochs": 25, "batch_size": 16, "lr": 0.02, "device": "cpu", "progress": False}


def windows(subjects, labels="condition", rate=50):
    """Cut recordings of noise; in 'task' the second channel is twice as large."""
    recs = []
    for subject in subjects:
        rng = np.random.default_rng(subject)
        for condition, scale in (("rest", 1), ("task", 2)):
            x = rng.standard_normal((20 * rate, 2)) * [1, scale]
            meta = {"subject": subject, "condition": condition, "number": scale}
            recs.append(nk.Recording.from_array(x, rate, stream="bold", meta=meta))
    return nk.windows.sliding(recs, stream="bold", length=1, labels=labels)


@pytest.fixture(scope="module")
def win():
    return windows([0, 1])


@pytest.fixture(scope="module")
def held_out():
    return windows([2])


def accuracy(p, win):
    truth = np.array(win.classes)[win.labels]
    return (p["class"].values[p.argmax("class").values] == truth).mean()


@pytest.mark.parametrize("freeze", [False, True])
def test_it_tells_planted_classes_apart_in_another_subject(win, held_out, freeze):
    model = Backbone()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run = finetune(model, win, validation=held_out, freeze=freeze, **SETTINGS)
    p = predict(run.model, held_out, device="cpu")
    assert accuracy(p, held_out) > 0.95
    assert run.history["validation_accuracy"].iloc[-1] == pytest.approx(accuracy(p, held_out))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    tuned = run.model.backbone.state_dict()
    same = {name: torch.equal(value, before[name]) for name, value in tuned.items()}
    assert all(same.values()) == freeze
    assert same["norm.running_mean"] == freeze
    assert all(parameter.requires_grad for parameter in run.model.parameters())


def test_shuffled_labels_are_at_chance(win, held_out):
    labels = np.random.default_rng(0).permutation(np.array(win.classes)[win.labels])
    run = finetune(Backbone(), win, labels, freeze=True, **SETTINGS)
    p = predict(run.model, held_out, device="cpu")
    assert abs(accuracy(p, held_out) - 0.5) < 0.3
    assert float(p.max()) < 0.9


def test_predictions_carry_what_windows_say(win, held_out):
    run = finetune(Backbone(), win, **SETTINGS | {"epochs": 1})
    run.model.train()
    p = predict(run.model, held_out, batch_size=7, device="cpu")
    assert run.model.training
    assert p.dims == ("window", "class")
    assert p["class"].values.tolist() == ["rest", "task"]
    np.testing.assert_array_equal(p["label"], held_out.labels)
    np.testing.assert_array_equal(p["start"], held_out.start)
    np.testing.assert_array_equal(p["recording"], held_out.recording_index)
    np.testing.assert_allclose(p.sum("class"), 1, atol=1e-6)
    np.testing.assert_allclose(p, predict(run.model, held_out, device="cpu"), atol=1e-6)


@pytest.mark.parametrize(
    "form",
    [list, np.array, pd.Series, lambda names: np.array(names, dtype=object)],
)
def test_classes_may_come_in_any_form(win, form):
    names = [win.classes[label] for label in win.labels]
    theirs = finetune(Backbone(), win, **SETTINGS | {"epochs": 2})
    ours = finetune(Backbone(), win, form(names), **SETTINGS | {"epochs": 2})
    assert ours.model.config.classes == theirs.model.config.classes == ("rest", "task")
    assert ours.history.equals(theirs.history)


@pytest.mark.parametrize("kind", [int, float, bool])
def test_numbers_are_classes_in_their_order(win, kind):
    y = np.where(win.labels == 1, 0, 10 if kind is not bool else 1).astype(kind)
    run = finetune(Backbone(), win, y, **SETTINGS | {"epochs": 1})
    expected = {int: ("0", "10"), float: ("0", "10"), bool: ("False", "True")}[kind]
    assert run.model.config.classes == expected
    numbered = windows([0], labels="number")
    run = finetune(Backbone(), numbered, **SETTINGS)
    assert run.model.config.classes == ("1", "2")
    assert predict(run.model, numbered, device="cpu")["label"].values.tolist() == [*numbered.labels]


def test_the_head_and_the_loop_take_their_options(win, held_out, tmp_path):
    run = finetune(
        Backbone(),
        win,
        validation=(held_out, held_out.labels.astype(bool)),
        y=win.labels.astype(bool),
        head={"hidden": 5, "dropout": 0.1},
        patience=2,
        checkpoint_dir=tmp_path,
        **SETTINGS,
    )
    assert run.model.head[1].out_features == 5
    assert run.best_epoch is not None
    assert (tmp_path / "checkpoint.pt").exists()
    other = np.roll(win.labels, 1).astype(bool)
    with pytest.raises(nk.errors.DataError, match="other settings: .*training data"):
        finetune(
            Backbone(),
            win,
            other,
            validation=(held_out, held_out.labels.astype(bool)),
            head={"hidden": 5},
            patience=2,
            checkpoint_dir=tmp_path,
            **SETTINGS,
        )


def test_bad_labels_are_refused(win, held_out):
    def tuned(*args, **options):
        return finetune(Backbone(), *args, **SETTINGS, **options)

    n = len(win)
    with pytest.raises(nk.errors.DataError, match="All 40 windows are of class 'rest'"):
        tuned(win.sel(condition="rest"))
    with pytest.raises(nk.errors.DataError, match=r"80 windows, and labels of shape \(79,\)"):
        tuned(win, win.labels[1:])
    with pytest.raises(nk.errors.DataError, match="1 of 80 labels of win are missing.*window 5"):
        tuned(win, [np.nan if place == 5 else 1.0 for place in range(n)])
    with pytest.raises(nk.errors.DataError, match="1 of 80 labels of win are missing.*window 5"):
        tuned(win, np.array([None if i == 5 else "a" for i in range(n)], dtype=object))
    with pytest.raises(nk.errors.DataError, match=r"not whole numbers \(such as 0.5\)"):
        tuned(win, np.arange(n) / 2)
    with pytest.raises(nk.errors.DataError, match="win has no labels"):
        tuned(windows([0], labels=None))
    with pytest.raises(nk.errors.DataError, match="validation has no labels"):
        tuned(win, validation=windows([0], labels=None))
    with pytest.raises(nk.errors.UnknownNameError, match="Unknown class in validation 'nap'"):
        tuned(win, validation=(held_out, ["nap"] * len(held_out)))
    with pytest.raises(nk.errors.DataError, match="empty"):
        tuned(win, validation=([], []))


def test_what_does_not_fit_is_refused(win):
    with pytest.raises(nk.errors.DataError, match="Expected 50 Hz; got 25 Hz"):
        finetune(Backbone(), windows([0], rate=25), **SETTINGS)
    with pytest.raises(nk.errors.DataError, match=r"expected a model with classifier\(classes\)"):
        finetune("eegformer", win, **SETTINGS)
    with pytest.raises(nk.errors.DataError, match=r"A Linear has no classifier\(classes\), which"):
        finetune(nn.Linear(2, 2), win, **SETTINGS)
    with pytest.raises(nk.errors.DataError, match="A Backbone tells no classes apart"):
        predict(Backbone(), win)
    classifier = Backbone().classifier(["rest", "task"])
    with pytest.raises(nk.errors.DataError, match="no windows"):
        predict(classifier, [])
    with pytest.raises(nk.errors.DataError, match="got 25 Hz"):
        predict(classifier, windows([0], rate=25))


def test_validation_windows_are_checked_as_those_of_training_are(win):
    other = windows([7], rate=25)
    for held_out in (other, (other, other.labels)):
        with pytest.raises(nk.errors.DataError, match="Expected 50 Hz; got 25 Hz"):
            finetune(Backbone(), win, validation=held_out, **SETTINGS)


def test_a_frozen_run_of_another_backbone_is_not_continued(win, tmp_path):
    options = {**SETTINGS, "epochs": 1, "freeze": True, "checkpoint_dir": tmp_path}
    finetune(Backbone(), win, **options)
    assert finetune(Backbone(), win, **options).resumed_at == 1
    other = Backbone()
    with torch.no_grad():
        other.turn.weight.mul_(2)
    with pytest.raises(nk.errors.DataError, match=r"other settings: frozen '\w+', not '\w+'"):
        finetune(other, win, **options)


def test_windows_with_missing_values_have_no_class(win):
    model = finetune(Backbone(), win, **{**SETTINGS, "epochs": 1}).model
    data = [{"x": torch.randn(50, 2)}, {"x": torch.full((50, 2), torch.nan)}]
    with pytest.raises(nk.errors.DataError, match="1 of 2 windows .* the first is window 1"):
        predict(model, data, device="cpu")


def test_nothing_to_train_on():
    with pytest.raises(nk.errors.DataError, match="data set is empty"):
        finetune(Backbone(), [], [], **SETTINGS)


def test_an_option_that_no_head_has_is_named(win):
    with pytest.raises(nk.errors.UnknownNameError, match=r"head 'droput'.*'dropout'\?.*'pool'"):
        finetune(Backbone(), win, head={"droput": 0.1}, **SETTINGS)


def test_a_head_on_channels_side_by_side_has_the_size_of_the_windows():
    config = nk.models.EEGFormerConfig.preset("tiny", width=16, n_heads=2)
    model = nk.models.EEGFormer(config)
    noise = 1e-5 * torch.randn(8, config.n_samples, 5, generator=torch.Generator().manual_seed(0))
    data = [{"x": x} for x in noise]
    run = finetune(model, data, [0, 1] * 4, head={"pool": "flatten"}, **{**SETTINGS, "epochs": 1})
    assert run.model.config.n_features == 5 * config.n_patches * config.width
    assert predict(run.model, data, device="cpu").shape == (8, 2)
    with pytest.raises(nk.errors.DataError, match=r"takes 9 features, these windows have 1600"):
        finetune(model, data, [0, 1] * 4, head={"pool": "flatten", "n_features": 9}, **SETTINGS)


def test_channels_side_by_side_keep_their_places(tmp_path):
    config = nk.models.EEGFormerConfig.preset("tiny", width=16, n_heads=2)
    x = 1e-5 * np.random.default_rng(0).normal(size=(8 * 640, 2))
    recs = [nk.Recording.from_array(x, 128, names) for names in (["C3", "C4"], ["C4", "C3"])]
    win, turned = (nk.windows.sliding(rec, stream="eeg", length=5.0) for rec in recs)
    settings = {**SETTINGS, "epochs": 1}
    model = nk.models.EEGFormer(config)
    run = finetune(model, win, [0, 1] * 4, head={"pool": "flatten"}, **settings)
    run.model.save_pretrained(tmp_path)
    for tuned in (run.model, nk.models.Classifier.from_pretrained(tmp_path)):
        assert tuned.config.channels == ("C3", "C4")
        assert predict(tuned, win, device="cpu").shape == (8, 2)
        with pytest.raises(nk.errors.DataError, match="channels are C4, C3; .* from C3, C4"):
            predict(tuned, turned, device="cpu")
    mean = finetune(model, win, [0, 1] * 4, **settings).model
    assert predict(mean, turned, device="cpu").shape == (8, 2)


def test_a_model_of_spikes_is_told_how_it_learns_instead():
    times, units = np.sort(np.random.default_rng(0).uniform(0, 20, 800)), np.arange(800) % 5
    speed = nk.Recording.from_array(np.ones((400, 1)), 20, ["speed"], "behaviour")["behaviour"]
    rec = nk.Recording.from_spikes(times, units, 20.0, streams={"behaviour": speed})
    win = nk.windows.spike_windows(rec, length=0.05, history=0.05, targets={"behaviour": ["speed"]})
    model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win, targets=()))
    classes = np.where(win.start < 10, "early", "late")
    with pytest.raises(nk.errors.DataError, match="A Neuroformer has no classifier") as told:
        finetune(model, win, classes, **SETTINGS)
    # What it says is what works.
    for name in ("fit", "with_targets", "encode", "linear_probe"):
        assert name in str(told.value)
    own = nk.models.neuroformer.with_targets(model, win.target_names)
    run = nk.training.fit(own, win, **{**SETTINGS, "epochs": 1})
    assert "target_loss" in run.history
    z = nk.models.encode(model, win, device="cpu", progress=False)
    nk.models.linear_probe(z, classes, np.arange(len(win)) // 20, n_bootstrap=10)
