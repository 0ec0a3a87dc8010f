"""A small benchmark with a known truth: responses that one layer explains and others do not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.alignment.benchmarks import Benchmark
from neurokit.catalog.benchmarks import BenchmarkCard
from neurokit.datasets.assemblies import Assembly


@dataclass
class World:
    """Features by layer, and the benchmark whose responses the second one explains."""

    layers: dict
    bench: Benchmark


def card(**settings):
    base = {
        "name": "toy", "title": "A toy", "description": "For tests.", "suite": "test",
        "version": 1, "data": "tuckute2024", "layout": "tuckute2024", "stimuli": "text",
    }  # fmt: skip
    return BenchmarkCard.model_validate(base | settings)


def bench_of(card_, assembly):
    bench = Benchmark(card_)
    # What cached_property would read from disk.
    object.__setattr__(bench, "__dict__", {**bench.__dict__, "assembly": assembly})
    return bench


@pytest.fixture
def make_world():
    def make(n=240, v=6, noise=1.0, seed=0, subjects=1, repeats=0, **settings):
        rng = np.random.default_rng(seed)
        layers = {k: rng.standard_normal((n, 10)) for k in (0, 1, 2)}
        signal = layers[1] @ rng.standard_normal((10, v)) / np.sqrt(10)
        trials = signal + noise * rng.standard_normal((max(repeats, 1), n, v))
        ids = [f"s{i}" for i in range(n)]
        responses = xr.DataArray(
            trials.mean(axis=0).astype(np.float32),
            dims=("presentation", "neuroid"),
            coords={
                "stimulus_id": ("presentation", ids),
                "story": ("presentation", np.repeat(np.arange(8), n // 8).astype(str)),
                "region": ("neuroid", np.where(np.arange(v) < v // 2, "A", "B")),
                "subject": ("neuroid", (np.arange(v) % subjects).astype(str)),
            },
        )
        words = [" ".join(["word"] * int(k)) for k in rng.integers(2, 9, n)]
        stimuli = pd.DataFrame({"text": words, "loudness": rng.standard_normal(n)}, index=ids)
        given = {"repeats": xr.DataArray(trials, dims=("repeat", "presentation", "neuroid"))}
        assembly = Assembly("toy", responses, stimuli, **(given if repeats else {}))
        return World(layers, bench_of(card(**settings), assembly))

    return make
