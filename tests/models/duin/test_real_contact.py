"""What Du-IN attains on a real contact of sEEG, on trials that it has not seen."""

from pathlib import Path

import numpy as np
import pytest

import neurokit as nk
from neurokit.datasets.spikes import read_npz
from neurokit.models import DuIN, DuINConfig, DuINMasked
from neurokit.models.duin import score_code_prediction, score_reconstruction

FILE = Path(__file__).resolve().parents[4] / "shared/data/ieeg/tensorpac_seeg_data_pac.npz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not FILE.exists(), reason="needs the shared recordings"),
]
N_TRIALS, RATE = 160, 1024


def _trials(chosen):
    layout = {"array": "data", "axes": ["trial", "time"], "time": "times", "sampling_rate": "sf"}
    stream = {**layout, "names": ["premotor"], "units": "a.u."}
    x = read_npz(FILE, streams={"ieeg": stream})["ieeg"].values.reshape(N_TRIALS, -1)
    return nk.Recording.concat(
        [nk.Recording.from_array(x[i][:, None], RATE, ["premotor"], "ieeg", "a.u.") for i in chosen]
    )


def _windows(fold, n_folds=4):
    """Return windows of two seconds of contiguous blocks of trials, none across two trials."""
    block = np.arange(N_TRIALS) * n_folds // N_TRIALS
    train, test = _trials(np.flatnonzero(block != fold)), _trials(np.flatnonzero(block == fold))
    for rec, stride in ((train, 500), (test, 2000)):
        scaled = nk.preprocessing.standardize(rec, "ieeg", fit_on=train)
        yield nk.windows.sliding(scaled, stream="ieeg", length=2000 / RATE, stride=stride / RATE)


@pytest.mark.parametrize("fold", [0, 3])
def test_codes_tell_the_waveform_and_context_tells_codes(fold):
    train, test = _windows(fold)
    settings = {"epochs": 20, "batch_size": 32, "lr": 1e-3, "device": "cpu", "progress": False}
    tokenizer = DuIN(DuINConfig.preset("tiny"))
    nk.training.fit(tokenizer, train, **settings)
    scores = score_reconstruction(tokenizer, test, device="cpu")
    assert scores["r"] >= 0.78
    assert scores["r2"] >= 0.6
    assert scores["perplexity"] >= 32
    model = DuINMasked(tokenizer.config, tokenizer=tokenizer)
    nk.training.fit(model, train, weight_decay=0.05, **settings)
    scores = score_code_prediction(model, test, device="cpu")
    masked, unmasked, shuffled = scores["cross_entropy"].values
    assert scores["gain"] >= 0.3
    assert unmasked <= masked - 0.5
    assert shuffled >= scores["unigram_entropy"]
