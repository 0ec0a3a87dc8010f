"""Whatever takes a device gives on another one what it gives on the CPU."""

import copy
import functools

import numpy as np
import pytest
import torch
import xarray as xr

import neurokit as nk
from neurokit import models
from neurokit.models.duin import (
    channel_importance,
    channel_weights,
    score_code_prediction,
    score_reconstruction,
)
from neurokit.models.eegformer import AnomalyDetector, explain, prototypes, reconstruct
from neurokit.models.neuroformer import (
    read_behaviour,
    unexplained_effects,
    window_likelihood,
    with_targets,
)
from neurokit.models.neuroformer.connectivity import estimate_connectivity

QUIET = {"progress": False}


def same(there, here, atol=2e-5):
    """Compare DataArrays, data sets, or mappings of them."""
    if isinstance(here, xr.DataArray):
        there, here = ({"": found.reset_coords(drop=True)} for found in (there, here))
    assert set(there) == set(here)
    for name in here:
        xr.testing.assert_allclose(there[name], here[name], atol=atol, rtol=1e-4)


def test_the_device_is_another_one(place):
    there = torch.arange(3, device=place)
    assert there.device == place
    assert (there + 1).tolist() == [1, 2, 3]
    assert there[torch.tensor([2])].cpu().numpy() == [2]
    with pytest.raises(RuntimeError, match="all tensors must be on the device"):
        there + torch.arange(3)
    with pytest.raises(RuntimeError, match="numpy"):
        there.numpy()


def test_only_one_of_them_has_doubles(place, request):
    wanted = request.node.callspec.params["place"] == "doubles"
    assert nk.devices.has_doubles(place) == wanted
    if wanted:
        assert torch.ones(2, device=place).double().dtype == torch.float64
    else:
        with pytest.raises(TypeError, match="no doubles"):
            torch.ones(2, device=place).double()


@pytest.fixture(scope="module")
def spikes():
    rng = np.random.default_rng(4)
    streams = {
        name: nk.Recording.from_array(rng.normal(size=(2000, 1)), 100, [name], name)[name]
        for name in ("speed", "stimulus")
    }
    times, units = rng.uniform(0, 20, 900), np.resize(range(6), 900)
    rec = nk.Recording.from_spikes(times, units, duration=20.0, streams=streams)
    cut = {"length": 0.1, "history": 0.2, "dt": 0.05, "beside": {"stimulus": 0.1}}
    return nk.windows.spike_windows(rec, targets={"speed": ["speed"]}, **cut)


@pytest.fixture(scope="module")
def neuroformer(spikes):
    config = models.NeuroformerConfig.of(spikes, width=16, n_heads=2, seed=3)
    model = models.Neuroformer(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1.5)
    return model.eval()


def read_out(name):
    connected = functools.partial(estimate_connectivity, method=name, n_contexts=5)
    return {
        "attention": functools.partial(estimate_connectivity, method="attention"),
        "behaviour": read_behaviour,
        "corrected": connected,
        "likelihood": window_likelihood,
        "perturbation": connected,
        "representation": models.encode,
        "unexplained": unexplained_effects,
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        *("attention", "behaviour", "corrected", "likelihood", "perturbation"),
        *("representation", "unexplained"),
    ],
)
def test_a_neuroformer_is_read_alike(name, neuroformer, spikes, place):
    read = functools.partial(read_out(name), **QUIET)
    same(read(neuroformer, spikes, device=place), read(neuroformer, spikes, device="cpu"))
    assert next(neuroformer.parameters()).device.type == "cpu"


@pytest.mark.filterwarnings("ignore:.* windows were cut off at max_spikes")
@pytest.mark.parametrize("free_running", [True, False])
def test_a_neuroformer_generates_the_same_spikes(free_running, neuroformer, spikes, place):
    settings = {"free_running": free_running, "max_spikes": 40, **QUIET}
    win = spikes.take(range(8))
    here, there = (neuroformer.generate(win, device=d, **settings) for d in ("cpu", place))
    assert here["spikes"].sizes["spike"] > 20
    xr.testing.assert_allclose(there["spikes"], here["spikes"])


def test_a_neuroformer_grows_where_it_is(neuroformer, spikes, place):
    plain = models.Neuroformer(models.NeuroformerConfig.of(spikes, width=16, n_heads=2, targets=()))
    tuned = with_targets(plain.to(place), ["speed"])
    run = nk.training.fit(tuned, spikes, epochs=1, batch_size=64, lr=1e-3, device=place, **QUIET)
    assert run.history["target_loss"].notna().all()


@pytest.fixture(scope="module")
def eeg():
    """Windows of two channels, where the second half of the recordings has a rhythm."""
    rng = np.random.default_rng(0)
    recs = []
    for number in range(8):
        x = 1e-5 * rng.normal(size=(2560, 2))
        x[:, 1] += (number >= 4) * 3e-5 * np.sin(2 * np.pi * 10 * np.arange(2560) / 128)
        meta = {"subject": number % 4, "task": "task" if number >= 4 else "rest"}
        recs.append(nk.Recording.from_array(x, 128, ["C3", "C4"], "eeg", "V", meta=meta))
    return nk.windows.sliding(recs, stream="eeg", length=5.0, labels="task")


@pytest.fixture(scope="module")
def eegformer(eeg):
    model = models.EEGFormer(models.EEGFormerConfig.preset("tiny", n_codes=16, kmeans_batches=2))
    with torch.no_grad():
        for row in range(3):
            model.train().loss(eeg.batch(np.arange(row, len(eeg), 4)))
    return model.eval()


def test_an_eegformer_is_read_alike(eegformer, eeg, place):
    same(
        models.encode(eegformer, eeg, device=place, **QUIET),
        models.encode(eegformer, eeg, device="cpu", **QUIET),
    )
    words = models.code_words(eegformer, eeg, device="cpu", **QUIET)
    same(models.code_words(eegformer, eeg, device=place, **QUIET), words)
    there = copy.deepcopy(eegformer).to(place)
    same(reconstruct(there, eeg, 3), reconstruct(eegformer, eeg, 3))
    same(prototypes(there, eeg, [0, 5]), prototypes(eegformer, eeg, [0, 5]))
    detectors = [AnomalyDetector(model).fit(eeg) for model in (there, eegformer)]
    same(*(detector.score(eeg) for detector in detectors))
    patterns = [
        explain(m, eeg, groups="subject", n=1, n_permutations=19) for m in (there, eegformer)
    ]
    np.testing.assert_array_equal(patterns[0].places, patterns[1].places)


@pytest.mark.parametrize("freeze", [True, False])
def test_classes_are_told_apart_alike(freeze, eegformer, eeg, place):
    settings = {"epochs": 2, "batch_size": 8, "lr": 1e-3, "freeze": freeze, **QUIET}
    there, here = (
        nk.training.finetune(eegformer, eeg, device=device, **settings) for device in (place, "cpu")
    )
    p = nk.training.predict(here.model, eeg, device="cpu")
    same(nk.training.predict(there.model, eeg, device=place), p, atol=2e-3)


def test_a_subspace_is_learnt_alike(eeg, place):
    config = models.StateSubspaceConfig(eeg.names, sampling_rate=128, window=5, n_features=3)
    there, here = models.StateSubspace(config).to(place), models.StateSubspace(config)
    for model in (there, here):
        model.fit(eeg, eeg.groups("subject"))
    found = [models.encode(model, eeg, device="cpu", **QUIET).values for model in (there, here)]
    np.testing.assert_allclose(abs(found[0]), abs(found[1]), atol=1e-3)


@pytest.fixture(scope="module")
def ieeg():
    rng = np.random.default_rng(1)
    recs = [
        nk.Recording.from_array(
            rng.normal(size=(1000, 3)).astype("f4"), 1000, list("ABC"), "ieeg", "z"
        )
        for _ in range(12)
    ]
    return nk.windows.sliding(recs, stream="ieeg", length=0.5)


def test_a_duin_is_scored_alike(ieeg, place):
    config = models.DuINConfig(
        channels=(3,), n_samples=500, spatial_width=4, filters=(8, 8, 2), depth=1, n_heads=2,
        head_dim=8, hidden=24, n_codes=6, code_width=8, decoder_depth=1,
        decoder_filters=(8, 8, 8, 8, 4),
    )  # fmt: skip
    tokenizer = models.DuIN(config)
    with torch.no_grad():
        for seed in range(10):  # past the k-means start
            tokenizer.loss(ieeg.batch(np.random.default_rng(seed).permutation(len(ieeg))))
    tokenizer.eval()
    masked = models.DuINMasked(config, tokenizer).eval()
    same(*(score_reconstruction(tokenizer, ieeg, device=d) for d in (place, "cpu")))
    same(*(score_code_prediction(masked, ieeg, device=d) for d in (place, "cpu")))
    same(*(channel_importance(tokenizer, ieeg, device=d) for d in (place, "cpu")))
    same(channel_weights(copy.deepcopy(tokenizer).to(place)), channel_weights(tokenizer))
