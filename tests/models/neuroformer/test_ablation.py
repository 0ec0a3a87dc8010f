"""What is left out is missed if it told something, and only then."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer.ablation import run_ablation
from neurokit.models.neuroformer.blinding import Blinded
from neurokit.models.neuroformer.likelihood import window_likelihood

QUIET = {"device": "cpu", "progress": False}


def driven(seed: int) -> nk.Recording:
    """Simulate two units that a value switches between, and a third that echoes the first."""
    rng = np.random.default_rng(seed)
    value = np.sign(np.sin(np.arange(6000) / 15 + rng.uniform(0, 6)))
    other = np.sign(np.sin(np.arange(6000) / 17))
    streams = {
        name: nk.Recording.from_array(
            x[:, None].astype(np.float32), 100, stream=name, channels=[name], units="z"
        )[name]
        for name, x in {"value": value, "other": other}.items()
    }
    fired = rng.random((6000, 2)) < 0.15 * np.stack([value > 0, value < 0], axis=1) + 0.01
    step, unit = np.nonzero(fired)
    echo = step[unit == 0] + 8
    echo = echo[echo < 6000]
    times = np.concatenate([step, echo]) * 0.01 + 0.005
    units = np.concatenate([unit, np.full(echo.size, 2)])
    return nk.Recording.from_spikes(times, units, duration=60.0, streams=streams)


def windows(seed: int) -> nk.windows.SpikeWindows:
    seen = {"value": 0.05, "other": 0.05}
    return nk.windows.spike_windows(driven(seed), length=0.05, history=0.1, beside=seen)


def untrained(model: Neuroformer, win: Any) -> None:
    pass


def test_inputs_that_tell_something_are_missed() -> None:
    win = windows(0)

    def train(model: Neuroformer, known: Any) -> None:
        nk.training.fit(model, known, epochs=6, batch_size=64, lr=1e-2, **QUIET)

    config = NeuroformerConfig.of(win, width=16, n_heads=2)
    fold = next(iter(nk.windows.split_contiguous(win, 3)))
    found = run_ablation(config, [fold], train, block=2.0, device="cpu")
    assert found["inputs"].values.tolist() == ["all", "no past", "no value", "no other"]
    gain = found["gain"].to_series()
    assert gain["all"] == 0
    assert gain["no value"] > 0.1
    assert gain["no past"] > 0.03
    assert found["low"].sel(inputs="no value") > 0
    assert abs(gain["no other"]) < 0.03
    loss = found["mean_loss"].to_series()
    assert loss["all"] < loss["no value"]


def test_scores_are_those_of_the_held_out_windows() -> None:
    win = windows(1)
    config = NeuroformerConfig.of(win, width=16, n_heads=2, seed=5)
    splits = list(nk.windows.split_contiguous(win, 2))
    found = run_ablation(config, splits, untrained, block=5.0, n_bootstrap=20, device="cpu")
    parts = [window_likelihood(Neuroformer(config), test, device="cpu") for _, test in splits]
    for k, part in enumerate(parts):
        expected = float(part["token_loss"].sum() / part["n_tokens"].sum())
        assert found["loss"].sel(inputs="all").values[k] == pytest.approx(expected)
    assert found.attrs["n_spikes"] == sum(int(part["n_spikes"].sum()) for part in parts)
    assert (found["gain_of_block"].sel(inputs="all") == 0).all()
    weighed = found["gain_of_split"].values @ [int(part["n_spikes"].sum()) for part in parts]
    np.testing.assert_allclose(weighed / found.attrs["n_spikes"], found["gain"], atol=1e-9)


def test_each_model_is_trained_on_its_split_alone() -> None:
    win, seen = windows(2), []

    def watch(model: Neuroformer, known: Any) -> None:
        seen.append((getattr(known, "gone", None), known.start.max()))

    config = NeuroformerConfig.of(win, width=16, n_heads=2)
    train, test = list(nk.windows.split_contiguous(win, 2))[1]
    run_ablation(config, [(train, test)], watch, n_bootstrap=5, device="cpu")
    assert [gone for gone, _ in seen] == [None, "past", "value", "other"]
    assert max(last for _, last in seen) < test.start.min()


@pytest.mark.parametrize("gone", ["past", "value", "other"])
def test_what_is_left_out_tells_nothing(gone: str) -> None:
    win = windows(3)
    model = Neuroformer(NeuroformerConfig.of(win, width=16, n_heads=2)).eval()
    plain, blind = win.batch(np.arange(40)), Blinded(win, gone).batch(np.arange(40))
    keys = ["past_id", "past_step"] if gone == "past" else [gone]
    assert all(torch.equal(plain[key], blind[key]) for key in set(plain) - set(keys))
    quiet = plain["id"].shape[1] - (plain["id"] == 0).sum(1) == 2
    first = model.hidden(blind)[quiet]
    same = {**blind, **{key: plain[key].roll(1, 0) for key in keys}}
    assert not torch.equal(model.hidden(same)[quiet], first)
    assert torch.equal(model.hidden(blind)[quiet], first)
    assert all((blind[key] == blind[key][:1]).all() for key in keys)


def test_blinded_windows_are_windows() -> None:
    win = windows(3)
    blind = Blinded(win, "value").take(np.arange(10, 20))
    assert len(blind) == 10
    assert np.array_equal(blind.start, win.start[10:20])
    assert torch.equal(blind[3]["id"], win[13]["id"])
    assert not blind[3]["value"].any()
    assert len(copy.copy(blind)) == 10
    with pytest.raises(UnknownNameError, match="Known: 'past', 'value', 'other'"):
        Blinded(win, "stimulus")


def test_splits_that_leak_and_models_without_inputs_are_refused() -> None:
    win = windows(4)
    config = NeuroformerConfig.of(win, width=16, n_heads=2)
    with pytest.raises(DataError, match="share"):
        run_ablation(config, [(win.take([0, 1, 2]), win.take([3]))], untrained)
    with pytest.raises(DataError, match="no split"):
        run_ablation(config, [], untrained)
    with pytest.raises(DataError, match="nothing can be left out"):
        run_ablation(NeuroformerConfig.preset("tiny", history_layers=0), [], untrained)


def stimulus_driven(seed: int) -> xr.Dataset:
    """Ablate a model of units that all streams but one drive, and their own past."""
    rec = nk.datasets.simulate_stimulus_population(duration=400.0, sampling_rate=20.0, seed=seed)
    seen = {"stimulus": 0.15, "behaviour": 0.1, "behaviour_unrelated": 0.1}
    win = nk.windows.spike_windows(rec, length=0.03, history=0.06, stride=0.06, beside=seen)
    fold = list(nk.windows.split_contiguous(win, 5))[seed % 5]
    config = NeuroformerConfig.of(
        win, width=32, n_heads=2, state_layers=0, final_layers=0, seed=seed
    )

    def train(model: Neuroformer, known: Any) -> None:
        nk.training.fit(model, known, epochs=3, batch_size=32, lr=5e-3, seed=seed, **QUIET)

    return run_ablation(config, [fold], train, block=5.0, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [41, 42, 43])
def test_a_stimulus_driven_population_misses_what_drives_it(seed: int) -> None:
    found = stimulus_driven(seed)
    table = found[["mean_loss", "gain", "low", "high"]].to_dataframe()
    print(seed, found.attrs, table.round(4), sep="\n")
    for name in ("past", "stimulus", "behaviour"):
        assert table.loc[f"no {name}", "low"] > 0
        assert table.loc[f"no {name}", "mean_loss"] > table.loc["all", "mean_loss"]
    assert table.loc["no behaviour_unrelated", "gain"] < 0.01


def test_one_pair_and_a_model_are_told_from_what_is_expected() -> None:
    win = windows(0)
    config = NeuroformerConfig.of(win, width=16, n_heads=2)
    pair = next(iter(nk.windows.split_contiguous(win, 3)))
    with pytest.raises(DataError, match=r"single pair as \[\(train, test\)\]"):
        run_ablation(config, pair, untrained)
    with pytest.raises(DataError, match=r"\(Neuroformer\), expected settings, such as"):
        run_ablation(Neuroformer(config), [pair], untrained)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="vocabulary is a Recording. Give nk.windows.Vocabulary"):
        Neuroformer(config).extend(driven(1))
