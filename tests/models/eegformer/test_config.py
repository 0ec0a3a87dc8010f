"""Settings of EEGFormer: the paper's sizes, where patches lie, and what is refused."""

import dataclasses

import numpy as np
import pytest

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import EEGFormer, EEGFormerConfig

PUBLISHED = {"small": 1.85e6, "base": 2.31e6, "large": 3.24e6}


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_have_the_papers_parameters(name):
    model = EEGFormer(EEGFormerConfig.preset(name, ema=None))
    # The published figures are those of the blocks and the codes; what belongs to the patches
    # (embedding, positions, readout) comes on top.
    parts = (*model.encoder.blocks, *model.decoder.blocks, model.quantizer)
    count = sum(p.numel() for part in parts for p in part.parameters())
    assert count == pytest.approx(PUBLISHED[name], rel=0.003)
    patches = (model.embedding, model.positions, model.decoder_positions, model.readout)
    rest = sum(p.numel() for part in patches for p in part.parameters())
    norms = 2 * 2 * model.config.width  # after the last block of encoder and decoder
    assert sum(p.numel() for p in model.parameters()) == count + rest + norms


def test_settings_of_windows_take_over_length_and_unit():
    x = 1e-5 * np.random.default_rng(0).normal(size=(2560, 2))
    rec = nk.Recording.from_array(x, 128, stream="eeg")
    win = nk.windows.sliding(rec, stream="eeg", length=4.0)
    config = EEGFormerConfig.of(win, n_codes=32)
    assert config == EEGFormerConfig.preset("tiny", window=4.0, n_codes=32)
    EEGFormer(config).check(win)
    z = nk.windows.sliding(nk.preprocessing.standardize(rec, "eeg"), stream="eeg", length=4.0)
    with pytest.raises(UnknownNameError, match="unit 'z'"):
        EEGFormerConfig.of(z)
    with pytest.raises(DataError, match="smaller montage leaves empty"):
        EEGFormerConfig.of(nk.windows.join_montages([win, win]))
    spikes = nk.Recording.from_spikes([0.1, 0.4], [0, 1], duration=1.0)
    with pytest.raises(DataError, match="expected windows of a stream, see nk.windows.sliding"):
        EEGFormerConfig.of(nk.windows.spike_windows(spikes, length=0.1, history=0.1))


@pytest.mark.parametrize("domain", ["frequency", "time"])
def test_the_papers_windows_go_through(domain):
    model = EEGFormer(EEGFormerConfig.preset("small", patch_domain=domain)).eval()
    batch = model.example()
    n_patches = {"frequency": 62, "time": 125}[domain]
    assert batch["x"].shape == (2, 3000, 3)
    assert model(batch).codes.shape == (2, 3, n_patches)
    assert bool(model.loss(batch)["loss"].isfinite())


def test_codes_that_follow_averages_are_no_parameters():
    model = EEGFormer(EEGFormerConfig.preset("tiny"))
    assert not list(model.quantizer.parameters())
    assert model.quantizer.codebook.shape == (256, 64)


def test_the_preset_is_the_default():
    assert EEGFormerConfig.preset("small") == EEGFormerConfig()


def test_frequency_patches_tile_the_spectrum():
    config = EEGFormerConfig(128, 5, patch_length=16, stride=16, width=32)
    bounds = config.patch_bounds
    assert bounds.shape == (config.n_patches, 2) == (21, 2)
    np.testing.assert_allclose(bounds[0], [0.1, 3.3])  # bins of 0.2 Hz, the first at 0.2
    np.testing.assert_allclose(bounds[1:, 0], bounds[:-1, 1])
    np.testing.assert_allclose(bounds[-1], 64.1)  # padding alone


def test_time_patches_cover_the_window():
    config = EEGFormerConfig(100, 2, patch_domain="time", patch_length=50, stride=25, width=32)
    np.testing.assert_allclose(config.patch_bounds[[0, 1, -1]], [[0, 0.5], [0.25, 0.75], [1.75, 2]])
    assert (config.n_bins, config.n_values, config.n_patches) == (25, 25, 8)


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="width"):
        EEGFormerConfig().width = 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 0.1}, "0.1 s at 250 Hz has 12 frequency bins, and a patch 48"),
        ({"patch_domain": "time", "window": 0.1}, "has 25 samples, and a patch 48"),
        ({"patch_domain": "space"}, "expected one of .'frequency', 'time'"),
        ({"stride": 49}, "stride is 49, above patch_length 48"),
        ({"n_heads": 7}, "128 does not divide into 7 heads"),
        ({"n_codes": 1}, "n_codes is 1 "),
        ({"sampling_rate": 0}, r"sampling_rate \(Hz\) is 0"),
        ({"mask_fraction": 1}, "mask_fraction is 1, expected 0 or more, below 1"),
        ({"dropout": -0.1}, "dropout is -0.1"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"revive_after": 0}, "revive_after is 0 "),
        ({"taper": "hann"}, "taper is 'hann' .*True or False"),
        ({"seed": -1}, "seed is -1 "),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        EEGFormerConfig(**changes)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="preset 'smal'. Did you mean 'small'"):
        EEGFormerConfig.preset("smal")
    with pytest.raises(UnknownNameError, match="setting 'n_code'. Did you mean 'n_codes'"):
        EEGFormerConfig.preset("tiny", n_code=8)
    with pytest.raises(UnknownNameError, match="unit 'T'"):
        EEGFormerConfig(units="T")
