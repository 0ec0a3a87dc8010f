"""EEGFormer learns: planted words are found again, and EEG does not collapse its codebook."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.models import EEGFormer, EEGFormerConfig

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
N_WORDS, N_PATCHES, LENGTH = 8, 8, 16


def config(**changes):
    settings = {
        **{"window": 2.0, "patch_length": LENGTH, "stride": LENGTH, "taper": False},
        **{"width": 32, "encoder_blocks": 1, "n_codes": 32, "kmeans_batches": 4},
    }
    return EEGFormerConfig.preset("tiny", **{**settings, **changes})


def spoken(n, seed=0):
    """Make windows of two channels whose spectra are made of eight words, in random phases."""
    rng = np.random.default_rng(seed)
    words = np.exp(np.random.default_rng(99).normal(size=(N_WORDS, LENGTH)))
    said = rng.integers(N_WORDS, size=(n, 2, N_PATCHES))
    amplitude = np.concatenate(
        [np.zeros((n, 2, 1)), words[said].reshape(n, 2, N_PATCHES * LENGTH)], axis=2
    )
    phase = rng.uniform(0, 2 * np.pi, size=amplitude.shape)
    phase[..., -1] = 0
    x = np.fft.irfft(amplitude * np.exp(1j * phase), n=256, axis=-1) * 1e-4
    return torch.from_numpy(x.transpose(0, 2, 1)).float(), said


def fit(model, data, **options):
    settings = {"device": "cpu", "progress": False, "lr": 3e-3, **options}
    return nk.training.fit(model, data, **settings)


@torch.no_grad()
def explained(model, win):
    """Return R2 and the statistics of the codes of windows, all in one pass each 64."""
    error = variance = 0.0
    codes = []
    for batch in (win.batch(rows) for rows in np.array_split(np.arange(len(win)), len(win) // 64)):
        found = model(batch)
        error += float((found.target - found.estimate).square().sum())
        variance += float(found.target.square().sum())
        codes.append(found.codes.flatten())
    statistics = model.quantizer.statistics(torch.cat(codes))
    return 1 - error / variance, float(statistics["perplexity"]), int(statistics["used_codes"])


@pytest.fixture(scope="module")
def learned():
    x, _ = spoken(512)
    return fit(EEGFormer(config()), [{"x": window} for window in x], epochs=12, batch_size=32)


@torch.no_grad()
def test_planted_words_are_found_again(learned):
    x, said = spoken(256, seed=1)
    found = learned.model({"x": x})
    codes = found.codes[..., :N_PATCHES].flatten().numpy()
    table = np.zeros((32, N_WORDS))
    np.add.at(table, (codes, said.ravel()), 1)
    # Each code stands for one word, and each word has a code of its own.
    assert table.max(axis=1).sum() > 0.95 * codes.size
    assert set(table.argmax(axis=1)[table.sum(axis=1) > 0]) == set(range(N_WORDS))
    assert float(learned.model.quantizer.statistics(found.codes)["perplexity"]) > N_WORDS - 1
    r2 = 1 - (found.target - found.estimate).square().sum() / found.target.square().sum()
    print(f"planted words: R2 {float(r2):.3f}")
    assert float(r2) > 0.9


def test_the_course_of_training_is_told(learned):
    history = learned.history
    assert {"r2", "reconstruction", "quantizer_loss", "perplexity", "used_codes"} <= set(history)
    np.testing.assert_allclose(
        history["loss"], history["reconstruction"] + history["quantizer_loss"], rtol=1e-4
    )
    assert history["r2"].iloc[-1] > history["r2"].iloc[0]


def test_the_same_seed_learns_the_same(learned):
    x, _ = spoken(512)
    data = [{"x": window} for window in x[:64]]
    first, again = (fit(EEGFormer(config()), data, epochs=5, batch_size=16).model for _ in "12")
    batch = {"x": x[-8:]}
    assert torch.equal(first.codes(batch), again.codes(batch))
    assert torch.equal(first.represent(batch), again.represent(batch))


def test_a_few_windows_are_learned_by_heart():
    x = 1e-5 * torch.randn(4, 256, 1, generator=torch.Generator().manual_seed(0))
    data = [{"x": window} for window in x]
    model = EEGFormer(config(width=64, n_codes=64, dropout=0.0))
    history = fit(model, data, epochs=300, batch_size=4, weight_decay=0.0).history
    assert history["r2"].iloc[-1] > 0.9


@torch.no_grad()
def test_patches_that_are_not_seen_are_guessed_from_the_others():
    rng = np.random.default_rng(0)
    x, _ = spoken(512)
    scale = torch.from_numpy(rng.choice([0.1, 10], size=(512, 1, 1))).float()
    data = [{"x": window} for window in x * scale]
    with torch.enable_grad():
        model = fit(EEGFormer(config(mask_fraction=0.5)), data, epochs=6, batch_size=32).model
    batch = {"x": torch.stack([d["x"] for d in data[:64]])}
    loud = (scale[:64] > 1)[..., 0].expand(-1, 2)
    torch.manual_seed(0)
    tokens = model.embedding(model.patches(batch["x"]))
    hidden = torch.zeros(tokens.shape[:2], dtype=torch.bool)
    hidden[:, 3] = True
    tokens = torch.where(hidden[..., None], model.unseen, tokens)
    quantized = model.quantizer(model.encoder(model.positions(tokens)))[0]
    guess = model.readout(model.decoder(model.decoder_positions(quantized)))[:, 3].mean(dim=1)
    guess = guess.reshape(64, 2)
    # How loud a window is can be told from every patch of it.
    assert float(guess[loud].min()) > float(guess[~loud].max())


def test_words_in_time_are_found_again():
    rng = np.random.default_rng(0)
    time = np.arange(64) / 128
    rhythms = np.stack([np.sin(2 * np.pi * f * time) for f in (6, 12, 24, 48)])
    said = rng.integers(4, size=(256, 4))
    x = 1e-5 * (3 * rhythms[said].reshape(256, 256, 1) + 0.3 * rng.normal(size=(256, 256, 1)))
    data = [{"x": torch.from_numpy(window).float()} for window in x]
    settings = config(patch_domain="time", patch_length=64, stride=64, n_codes=16, taper=True)
    model = fit(EEGFormer(settings), data, epochs=12, batch_size=32).model
    with torch.no_grad():
        codes = model.codes({"x": torch.stack([d["x"] for d in data])})[:, 0, :4].flatten()
    table = np.zeros((16, 4))
    np.add.at(table, (codes.numpy(), said.ravel()), 1)
    assert table.max(axis=1).sum() > 0.95 * codes.numel()


def eegmat():
    if not SHARED.exists():
        pytest.skip("needs the shared recordings")
    recs = nk.datasets.spikes.read_npz(
        SHARED / "eeg/eegmat_128hz_int16.npz",
        segment=None,
        segments={"offsets": "offsets", "facts": {"subject": "subject", "run": "run"}},
        streams={
            "eeg": {
                **{"array": "X", "axes": ["channel", "time"], "sampling_rate": "sfreq"},
                **{"names": "ch_names", "scale": "scale_uV", "units": "uV"},
            }
        },
    )
    return nk.windows.sliding(recs, stream="eeg", length=5, labels="run")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_eeg_does_not_collapse_the_codebook(seed):
    win = eegmat()
    subject = win.groups("subject")
    model = EEGFormer(EEGFormerConfig.preset("tiny", seed=seed))
    fit(model, win.take(subject < 28), epochs=5, batch_size=16, lr=2e-3, seed=seed)
    r2, perplexity, used = explained(model, win.take(subject >= 28))
    probe = nk.models.linear_probe(
        nk.models.encode(model, win, device="cpu"), win.labels, subject, cv=6
    )
    auroc = float(probe["mean"].sel(metric="auroc"))
    print(f"seed {seed}: R2 {r2:.3f}, perplexity {perplexity:.0f}, {used} codes, AUROC {auroc:.3f}")
    assert r2 > 0.4
    assert perplexity > 0.75 * 256
    assert used >= 0.98 * 256
    assert auroc > 0.75
