"""Real units: where the head points, read from held-out minutes, and spikes predicted there."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurokit as nk
from neurokit.models.neuroformer import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer.blocks import blocks_of
from neurokit.models.neuroformer.decoding import direction_variables, read_behaviour
from neurokit.models.neuroformer.glm import step_counts
from neurokit.models.neuroformer.likelihood import held_out_likelihood
from neurokit.models.neuroformer.scoring import score_behaviour

NAMES = ["cos head_direction", "sin head_direction"]
# Which fifth of the exploration is held out, and a seed for each.
SEEDS = [(71 + fifth, fifth) for fifth in range(5)]
CUT = {"length": 0.2, "history": 0.4, "dt": 0.02, "stride": 0.1}


@pytest.fixture(scope="module")
def exploring() -> nk.Recording:
    rec = nk.datasets.load("a2929").sel(time=slice(670.7, 1199.9))
    rec = direction_variables(rec, "behaviour", "head_direction")
    rec = nk.preprocessing.resample(rec, 20, stream="behaviour")
    pose = rec["behaviour"].sel(variable=NAMES)
    return rec.replace({"spikes": rec["spikes"], "behaviour": pose})


def held_out(win: nk.windows.SpikeWindows, block: int) -> list[nk.windows.SpikeWindows]:
    train, test = list(nk.windows.split_contiguous(win, 5, gap=1.0))[block]
    return [train, test.take(np.arange(0, len(test), 2))]  # which tile, each spike once


def trained(train: nk.windows.SpikeWindows, seed: int) -> Neuroformer:
    model = Neuroformer(NeuroformerConfig.of(train, seed=seed, n_heads=2, dropout=0.1))
    return nk.training.fit(
        model, train, epochs=4, batch_size=32, lr=3e-3, device="cpu", seed=seed, progress=False
    ).model


def angle(vector: xr.DataArray | np.ndarray) -> np.ndarray:
    return np.arctan2(*np.asarray(vector, dtype=np.float64).T[::-1])


def bayes(train: nk.windows.SpikeWindows, test: nk.windows.SpikeWindows) -> np.ndarray:
    """Decode as the demonstration does: thalamic units, counts of 0.2 s, smoothed tuning."""
    from neurokit.demo.tuning import BIN, N_DIRECTIONS, tuning_curves

    known, asked = (win.batch(np.arange(len(win))) for win in (train, test))
    counts = [step_counts(batch, 15, 10).sum(dim=1).numpy()[:, :7] for batch in (known, asked)]
    curves = tuning_curves(counts[0], angle(known["target"]) % (2 * np.pi))
    expected = np.maximum(curves * BIN, 1e-3)
    likelihood = counts[1] @ np.log(expected).T - expected.sum(axis=1)
    return (likelihood.argmax(axis=1) + 0.5) * 2 * np.pi / N_DIRECTIONS


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "block"), SEEDS)
def test_head_direction_is_read_better_than_by_bayes(
    exploring: nk.Recording, seed: int, block: int
) -> None:
    win = nk.windows.spike_windows(exploring, targets={"behaviour": NAMES}, **CUT)
    train, test = held_out(win, block)
    found = read_behaviour(trained(train, seed), test, device="cpu")
    true, places = angle(found["true"]), blocks_of(test, 10.0)
    scores = {
        name: score_behaviour(true, guess, places, direction=True).sel(metric="median_error")
        for name, guess in {
            "neuroformer": angle(found["predicted"]),
            "bayes": bayes(train, test),
        }.items()
    }
    print(seed, block, len(test), {k: v.to_array().values.round(1) for k, v in scores.items()})
    own = scores["neuroformer"]
    assert own["score"] < min(10.4, float(scores["bayes"]["score"]))
    assert own["high"] < own["best_shift"]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "block"), SEEDS)
def test_spikes_are_predicted_better_than_by_tuning(
    exploring: nk.Recording, seed: int, block: int
) -> None:
    win = nk.windows.spike_windows(exploring, beside={"behaviour": 0.2}, **CUT)
    train, test = held_out(win, block)
    found = held_out_likelihood(trained(train, seed), train, test, device="cpu")
    table = found.drop_dims("window").to_dataframe()
    print(seed, block, int(found["n_spikes"].sum()), table.round(3), sep="\n")
    assert table.loc["model", "low"] > 0
    assert (table.loc[["tuning", "history"], "behind_low"] > 0).all()
