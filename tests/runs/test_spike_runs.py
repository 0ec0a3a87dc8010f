"""Recipes of spikes: cut and scaled without leaks, trained, scored beside simpler predictors."""

import json

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.catalog.recipes import recipe
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.runs import pretrain
from neurokit.runs.cutting import Parts, cut, split
from neurokit.runs.pretraining import windows_of
from neurokit.runs.spike_cutting import standardize_beside
from neurokit.runs.spike_figures import spike_figures

CARD = """
name = "toy-population"
title = "A toy"
modality = ["spikes", "behaviour"]
description = "For tests."
citation = "Nobody (2020)."
url = "https://example.org"
licence = "CC0-1.0"
access = "open"
layout = "zarr"
path = "toy.zarr"
"""
RECIPE = """
name = "toy-spikes"
title = "A toy"
kind = "pretrain"
data = "toy-population"
note = "For tests."

[[preprocessing]]
step = "crop"
stop = 60.0

[[preprocessing]]
step = "direction"
stream = "behaviour"
variable = "heading"

[[preprocessing]]
step = "resample"
stream = "stimulus"
sampling_rate = 25.0

[[preprocessing]]
step = "standardize"
over = "train"

[windows]
stream = "spikes"
length = 0.2
history = 0.2
dt = 0.02
beside = { stimulus = 0.4 }
targets = { behaviour = ["cos heading", "sin heading", "speed"] }

[split]
by = "time"
test_share = 0.25
gap = 0.1

[model]
family = "Neuroformer"
preset = "tiny"
changes = { width = 32, n_heads = 2 }

[training]
epochs = 4
batch_size = 16
lr = 0.005
"""
N_UNITS, SECONDS, RATE = 6, 80.0, 50.0


def population(seed=0):
    """Six units that prefer directions of a slow turn; speed and stimulus tell nothing."""
    rng = np.random.default_rng(seed)
    time = np.arange(0, SECONDS, 0.01)
    heading = 2 * np.pi * 0.15 * time + np.sin(0.4 * time)
    preferred = np.arange(N_UNITS) * 2 * np.pi / N_UNITS
    rate = 0.5 + 25 * np.exp(3 * (np.cos(heading[:, None] - preferred) - 1))
    step, unit = np.nonzero(rng.random(rate.shape) < rate * 0.01)
    every = slice(None, None, round(100 / RATE))
    speed = 40 + 5 * rng.standard_normal(time[every].size)
    behaviour = np.stack([heading[every] % (2 * np.pi), speed], axis=1)
    stimulus = 100 + rng.standard_normal((time[every].size, 1))
    streams = {
        "behaviour": nk.Recording.from_array(
            behaviour, RATE, ["heading", "speed"], stream="behaviour"
        )["behaviour"],
        "stimulus": nk.Recording.from_array(stimulus, RATE, ["tone"], stream="stimulus")[
            "stimulus"
        ],
    }
    return Recording.from_spikes(
        step * 0.01 + 0.005, unit, SECONDS, streams=streams, meta={"subject": "m1"}
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("lab")
    (root / "datasets").mkdir()
    (root / "models").mkdir()
    (root / "datasets/toy-population.toml").write_text(CARD)
    (root / "models/toy-spikes.toml").write_text(RECIPE)
    population().save(root / "datasets/toy.zarr")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROKIT_CATALOG", str(root))
        yield root


@pytest.fixture(scope="module")
def toy(lab):
    return recipe("toy-spikes")


@pytest.fixture(scope="module")
def result(toy, tmp_path_factory):
    return pretrain(toy, tmp_path_factory.mktemp("runs") / "toy", device="cpu", progress=False)


def test_what_the_variables_were_scaled_by_is_kept(toy, result):
    kept = json.loads((result.folder / "figures.json").read_text())["scaled"]
    (one,) = kept["behaviour"]
    assert one["names"] == ["cos heading", "sin heading", "speed"]
    raw = population()["behaviour"].values[:, 1]
    train = raw[: round(0.75 * len(raw))]
    assert one["mean"][2] == pytest.approx(train.mean(), abs=0.5)
    assert one["deviation"][2] == pytest.approx(train.std(), rel=0.1)
    assert kept["stimulus"][0]["subject"] == "m1"


def again(base, **parts):
    content = base.model_dump(exclude_unset=True)
    for key, value in parts.items():
        content[key] = {**content[key], **value} if isinstance(value, dict) else value
    return type(base).model_validate(content)


def test_a_run_beats_what_it_is_printed_beside(result):
    figures = result.figures
    assert figures.loc["id_loss", "trained"] < figures.loc["id_loss", "rates"] - 0.2
    assert figures.loc["id_loss", "random weights"] > figures.loc["id_loss", "rates"]
    assert figures.loc["bits_per_spike", "trained"] > 0.3
    assert figures.loc["bits_per_spike", "rates"] == 0
    assert figures.loc["set_f1", "trained"] > figures.loc["set_f1", "rates"] + 0.1
    error = figures.loc["heading, median error (°)"]
    assert error["trained"] < 35
    assert error["ridge"] < 35
    # Nothing in the spikes tells the speed.
    assert abs(figures.loc["speed, r", ["trained", "ridge"]]).max() < 0.4


def test_the_model_is_kept_with_its_card_and_figures(result, toy):
    folder = result.folder
    loaded = nk.models.Neuroformer.from_pretrained(folder / "model")
    assert loaded.config == result.model.config
    assert loaded.config.targets == ("cos heading", "sin heading", "speed")
    card = (folder / "model/README.md").read_text()
    for said in (
        "that see 0.2 s of spikes before them and 0.4 s of stimulus",
        "CC0-1.0",
        "bits_per_spike is what is gained",
        f"| id_loss | {result.figures.loc['id_loss', 'trained']:.3f} |",
    ):
        assert said in card
    kept = json.loads((folder / "figures.json").read_text())["figures"]
    assert kept["id_loss"]["rates"] == pytest.approx(result.figures.loc["id_loss", "rates"])
    assert pretrain(toy, folder, device="cpu", progress=False).resumed_at == 4


def test_no_part_reads_what_another_one_holds(toy):
    parts = windows_of(toy)
    train, test = parts.train, parts.test
    read = (test.first_sample - test.reach).min() * toy.windows.dt
    held = (train.first_sample + train.n_samples).max() * toy.windows.dt
    assert read >= held + toy.split.gap - 1e-9
    assert read >= 45.0


def test_scores_come_from_what_training_windows_see(toy):
    parts = windows_of(toy)
    rec = parts.train.recordings[0]
    assert rec["stimulus"].attrs["units"] == rec["behaviour"].attrs["units"] == "z"
    stop = (parts.train.start + parts.train.length).max()
    for name in ("stimulus", "behaviour"):
        data = rec[name]
        seen = data.values[data["time"].values < stop - 1e-6].astype(np.float64)
        np.testing.assert_allclose(seen.mean(axis=0), 0, atol=2e-3)
        np.testing.assert_allclose(seen.std(axis=0), 1, atol=2e-3)
    batch = parts.test.batch(np.arange(len(parts.test)))
    assert batch["stimulus"].shape[1:] == (10, 1)
    assert set(parts.test.target_names) == {"cos heading", "sin heading", "speed"}


def test_movies_that_trials_share_are_scaled_once(toy):
    frames = np.random.default_rng(0).random((20, 2, 3)).astype(np.float32) * 255
    movie = nk.Recording.from_array(frames.reshape(20, 6), 10, stream="stimulus")["stimulus"]
    movie = movie.copy(data=movie.values).isel(variable=0, drop=True)
    stream = movie.expand_dims(row=2, column=3, axis=(1, 2)).copy(data=frames)
    recs = [
        Recording.from_spikes([0.5], [0], 2.0, streams={"stimulus": stream}, meta={"run": n})
        for n in (1, 2)
    ]
    table = again(toy, windows={"beside": {"stimulus": 0.2}, "targets": {}}).windows
    win = cut(recs, again(toy, windows={"beside": {"stimulus": 0.2}, "targets": {}}))
    scaled = standardize_beside(win.take(win.groups("run") == 1), table)
    assert np.shares_memory(scaled[0]["stimulus"].values, scaled[1]["stimulus"].values)
    assert scaled[0]["stimulus"].values[2:].std() == pytest.approx(1, abs=0.05)


def test_a_constant_variable_has_no_score(toy):
    rec = population()
    behaviour = rec["behaviour"].copy()
    behaviour[:, 1] = 3.0
    rec = rec.replace({**rec.streams, "behaviour": behaviour})
    plain = again(toy, windows={"beside": {}, "targets": {"behaviour": ["speed"]}})
    win = cut([rec], plain)
    with pytest.raises(DataError, match=r"'behaviour' is constant or missing .* \['speed'\]"):
        standardize_beside(win, plain.windows)


def test_split_by_run_keeps_whole_recordings_apart(toy):
    recs = [population(seed).replace(meta={"run": seed}) for seed in range(3)]
    plain = again(toy, windows={"beside": {}, "targets": {}})
    table = type(toy.split)(by="run", group="run", test=[2], validation=[1])
    parts = split(cut(recs, plain), table, seed=0)
    for part, run in ((parts.train, 0), (parts.validation, 1), (parts.test, 2)):
        assert {*part.groups("run").tolist()} == {run}


def test_unigram_and_model_losses_by_hand(toy):
    rec = population()
    win = cut([rec], again(toy, windows={"beside": {}, "targets": {}}))
    parts = split(win, toy.split, 0)
    model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(parts.train, seed=3))
    figures = spike_figures(model, parts, device="cpu", seed=5)
    ids = [w.batch(np.arange(len(w)))["id"][:, 1:] for w in (parts.train, parts.test)]
    ids = [i[i != 0] for i in ids]
    p = torch.bincount(ids[0], minlength=N_UNITS + 3).double() + 0.5
    expected = -(p / p.sum()).log()[ids[1]].mean()
    assert figures.loc["id_loss", "rates"] == pytest.approx(float(expected), rel=1e-6)
    with torch.no_grad():
        loss = model.eval().loss(parts.test.batch(np.arange(len(parts.test))))["id_loss"]
    assert figures.loc["id_loss", "trained"] == pytest.approx(float(loss), rel=1e-5)
    assert figures.loc["spikes", "trained"] == int((ids[1] >= 3).sum())
    assert "ridge" not in figures


def test_variables_beside_spikes_join_the_regression(toy):
    rec = nk.models.neuroformer.decoding.direction_variables(population(), "behaviour", "heading")
    table = {"beside": {"behaviour": 0.1}, "targets": {}}
    parts = windows_like(rec, again(toy, windows=table))
    model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(parts.train))
    bits = spike_figures(model, parts, device="cpu").loc["bits_per_spike"]
    # The direction is known at each step, and the past tells it less well.
    assert bits["GLM with variables"] > bits["GLM"] + 0.05


def windows_like(rec, wanted):
    parts = split(cut([rec], wanted), wanted.split, wanted.seed)
    scaled = standardize_beside(parts.train, wanted.windows)
    return split(cut(scaled, wanted), wanted.split, wanted.seed)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"windows": {"beside": {"lfp": 0.1}}}, UnknownNameError, "stream of the recipe 'lfp'"),
        (
            {"windows": {"targets": {"behaviour": ["sped"]}}},
            UnknownNameError,
            "Unknown variable of 'behaviour' 'sped'. Did you mean 'speed'",
        ),
        ({"model": {"family": "EEGFormer", "changes": {}}}, DataError, "reads samples, not spikes"),
        (
            {"model": {"changes": {"widht": 2}}},
            UnknownNameError,
            "Unknown setting of Neuroformer 'widht'. Did you mean 'width'",
        ),
        ({"model": {"preset": "tiy", "changes": {}}}, UnknownNameError, "Unknown preset 'tiy'"),
        ({"windows": {"length": 0.21}}, DataError, "whole steps|steps of"),
        (
            {"preprocessing": [{"step": "direction", "stream": "behaviour", "variable": "heding"}]},
            UnknownNameError,
            "Unknown variable of 'behaviour' 'heding'",
        ),
    ],
)
def test_what_a_recipe_of_spikes_gets_wrong(toy, tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        pretrain(again(toy, **change), tmp_path / "run", device="cpu", progress=False)


def test_samples_are_no_spikes(tmp_path):
    model = {"family": "Neuroformer", "preset": "tiny", "changes": {}}
    wrong = again(recipe("eegformer-demo"), model=model)
    with pytest.raises(DataError, match="A Neuroformer reads spikes"):
        pretrain(wrong, tmp_path / "run", device="cpu", progress=False)


def test_targets_of_nobody_are_refused(toy):
    rec = population()
    behaviour = rec["behaviour"].copy()
    behaviour[:-20, 1], behaviour[-20:, 1] = np.nan, 0.5  # unknown in all of the training
    rec = rec.replace({**rec.streams, "behaviour": behaviour})
    plain = again(toy, windows={"beside": {}, "targets": {"behaviour": ["speed"]}})
    parts = split(cut([rec], plain), plain.split, 0)
    assert isinstance(parts, Parts)
    model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(parts.train))
    with pytest.raises(DataError, match=r"[Nn]o training window has all of its targets"):
        spike_figures(model, parts, device="cpu")
