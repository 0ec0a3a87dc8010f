"""Settings: the paper's sizes, and what makes no model."""

import dataclasses
import json

import numpy as np
import pytest

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import DuIN, DuINConfig, DuINEncoder, DuINMasked
from neurokit.models.nn import settings


def _count(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def test_parameters_are_as_many_as_the_papers():
    # Ten channels, one subject. By hand, for the encoder: 10 * 16 + 16 of the channels; 95,024
    # of the tokenizer (128 * (16 * 19 + 1) + 128 * (128 * 3 + 1) + 16 * (128 * 3 + 1), and 544 of
    # batch norms); 8 blocks of 433,152.
    config = DuINConfig.preset("paper")
    encoder = DuINEncoder(config)
    assert _count(encoder) == 176 + 95_024 + 8 * 433_152
    tokenizer = DuIN(config)
    with_codes = _count(tokenizer) + tokenizer.quantizer.codebook.numel()
    assert with_codes == pytest.approx(5.94e6, rel=0.01)
    masked = DuINMasked(config, tokenizer)
    assert _count(masked) - _count(masked.tokenizer) == pytest.approx(3.90e6, rel=0.01)
    # 61 words; the published count has windows of 4,000 samples.
    assert _count(masked.classifier(61)) == pytest.approx(4.38e6, rel=0.01)


def test_presets():
    poms = DuINConfig.preset("poms", channels=(10, 8))
    assert (poms.n_codes, poms.own_tokenizers, poms.n_subjects) == (1024, True, 2)
    tiny = DuINConfig.preset("tiny", n_codes=32)
    assert _count(DuIN(tiny)) < 400_000
    assert tiny.n_codes == 32
    with pytest.raises(UnknownNameError, match="preset 'huge'.*Known: 'paper', 'poms', 'tiny'"):
        DuINConfig.preset("huge")


def _windows(names, n_samples=500):
    x = np.random.default_rng(0).normal(size=(4000, len(names)))
    rec = nk.Recording.from_array(x, 1000, list(names), "ieeg", "z")
    return nk.windows.sliding(rec, stream="ieeg", length=n_samples / 1000)


def test_settings_of_windows_take_over_length_and_channels():
    win = nk.windows.join_montages([_windows(["A1", "A2", "A3"]), _windows(["B1", "B2"])])
    config = DuINConfig.of(win, sampling_rate=1000.0, n_codes=32)
    assert (config.channels, config.n_samples, config.n_codes) == ((3, 2), 500, 32)
    assert config.names == (("A1", "A2", "A3"), ("B1", "B2"))
    DuIN(config).check(win)
    other = nk.windows.join_montages([_windows(["A1", "A2", "X"]), _windows(["B1", "B2"])])
    with pytest.raises(UnknownNameError, match="channel 'X'"):
        DuIN(config).check(other)
    with pytest.raises(DataError, match="1000 Hz, the model 1024 Hz"):  # tokens count samples
        DuIN(DuINConfig.of(win)).check(win)
    with pytest.raises(DataError, match="n_samples is 550, expected whole patches of 100"):
        DuINConfig.of(_windows(["A1"], 550))
    with pytest.raises(DataError, match=r"win is 3 \(int\), expected windows of a stream"):
        DuINConfig.of(3)
    with pytest.raises(UnknownNameError, match="setting 'n_code'. Did you mean 'n_codes'"):
        DuINConfig.preset("tiny", n_code=32)


def test_settings_survive_json():
    config = DuINConfig(channels=(2, 1), names=(("a", "b"), ("c",)))
    text = json.dumps(settings.plain(config))
    assert settings.restored(DuINConfig, json.loads(text), "here") == config
    assert DuINConfig(**json.loads(text)) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": ()}, "channels is empty"),
        ({"channels": (10, 0)}, "channels is 0"),
        ({"names": (("a", "a"),), "channels": (2,)}, "names for .2,. channels.*got .1,. names"),
        ({"kernels": (19, 3)}, "a kernel and a stride for each of filters; got 3 filters, 2"),
        ({"kernels": (19, 3, 4)}, "kernels are .19, 3, 4., expected odd"),
        ({"decoder_kernels": (3, 4, 10, 9, 19)}, "decoder_kernels.*odd ones"),
        ({"strides": (7, 1, 1)}, "do not divide a patch of 100"),
        ({"decoder_strides": (1, 1, 10, 1, 5)}, "multiply to 50, expected the patch of 100"),
        ({"n_samples": 4001}, "n_samples is 4001, expected whole patches of 100"),
        ({"mask_fraction": 1.0}, "mask_fraction is 1.0, expected 0.01 to 0.99"),
        ({"dropout": -0.1}, "dropout is -0.1"),
        ({"sampling_rate": 0}, "sampling_rate .Hz. is 0"),
        ({"depth": 0}, "depth is 0"),
    ],
)
def test_settings_that_make_no_model(changes, message):
    with pytest.raises(DataError, match=message):
        DuINConfig(**changes)


def test_a_seed_is_a_model():
    config = DuINConfig.preset("tiny")
    one, same = DuIN(config).state_dict(), DuIN(config).state_dict()
    other = DuIN(dataclasses.replace(config, seed=1)).state_dict()
    assert all(one[key].equal(same[key]) for key in one)
    assert not one["encoder.spatial.weight"].equal(other["encoder.spatial.weight"])
