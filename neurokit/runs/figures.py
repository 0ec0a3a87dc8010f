"""Figures of a pretrained model on held-out windows, by the scores of its family."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from neurokit.models import baselines, duin, neuroformer
from neurokit.models.nn import Pretrained, evaluation_batches, perplexity
from neurokit.runs.cutting import Parts
from neurokit.runs.spike_figures import spike_figures
from neurokit.windows import Windows

__all__ = ["figures_of", "held_out_figures"]

_BATCH = 64


def figures_of(
    model: Pretrained, parts: Parts, *, device: str | torch.device = "auto", seed: int = 0
) -> pd.DataFrame:
    """Lay out the figures of a pretrained model beside what they must beat.

    Parameters
    ----------
    model : Pretrained
        Trained on the parts' training windows.
    parts : Parts
        Of which those that test are used.
    device : str or torch.device
        Where it runs.
    seed : int
        Of random weights, masks and shuffles.

    Returns
    -------
    DataFrame
        A row a measure, see :func:`held_out_figures` and
        :func:`neurokit.runs.spike_figures.spike_figures`; columns for the model and, but for
        those that guess the codes of another one, for random weights.

    Examples
    --------
    >>> import numpy as np
    >>> from neurokit.models import EEGFormer, EEGFormerConfig
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(2560, 2))
    >>> win = sliding(Recording.from_array(x, 128), stream="eeg", length=5)
    >>> model = EEGFormer(EEGFormerConfig.preset("tiny", n_codes=8))
    >>> figures_of(model, Parts(win.take([0, 1]), win.take([2])), device="cpu").columns.tolist()
    ['trained', 'random weights']
    """
    if isinstance(model, neuroformer.Neuroformer):
        return spike_figures(model, parts, device=device, seed=seed)
    columns = {"trained": held_out_figures(model, parts.test, device=device, seed=seed)}
    if not isinstance(model, duin.DuINMasked):
        # Made now, it knows the inputs' mean and spread: it differs in its weights alone.
        untrained = baselines.random_weights(model, seed, parts.train)
        columns["random weights"] = held_out_figures(
            untrained, parts.test, device=device, seed=seed
        )
    return pd.DataFrame(columns)


def held_out_figures(
    model: Pretrained, win: Windows, *, device: str | torch.device = "auto", seed: int = 0
) -> dict[str, float]:
    """Measure a pretrained model on windows that it was not trained on.

    Parameters
    ----------
    model : EEGFormer, DuIN or DuINMasked
        Of any state of training.
    win : Windows
        Held out.
    device : str or torch.device
        Where it runs.
    seed : int
        Of masks and shuffles.

    Returns
    -------
    dict of float
        ``windows``; for models that reconstruct, ``r2`` (share of the variance around the mean
        of each channel, or of each frequency, that is explained) and ``r`` (correlation), and of
        their codes ``perplexity``, ``codes_used`` and ``n_codes``. For masked-code models, in nats
        a token: ``masked`` cross-entropy of hidden tokens, ``unigram_entropy`` (what the codes'
        frequencies alone attain), ``gain`` (their difference), ``unmasked`` (nothing hidden) and
        ``shuffled`` (the tokens' order destroyed); and ``accuracy`` of hidden tokens beside
        ``copy_accuracy``, that of repeating the token before.

    Examples
    --------
    >>> import numpy as np
    >>> from neurokit.models import EEGFormer, EEGFormerConfig
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(2560, 2))
    >>> win = sliding(Recording.from_array(x, 128), stream="eeg", length=5)
    >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
    >>> found = held_out_figures(model, win, device="cpu")
    >>> found["windows"], found["n_codes"], found["perplexity"] <= found["codes_used"]
    (4.0, 256.0, True)
    """
    if isinstance(model, duin.DuINMasked):
        found = _of_masked(model, win, device, seed)
    elif isinstance(model, duin.DuIN):
        found = _of_waveforms(model, win, device)
    else:
        found = _of_spectra(model, win, device)
    return {"windows": float(len(win)), **found}


def _of_waveforms(model: Any, win: Windows, device: str | torch.device) -> dict[str, float]:
    scores = duin.score_reconstruction(model, win, device=device)
    return {
        "r2": float(scores["r2"].mean()),
        "r": float(scores["r"].mean()),
        "perplexity": float(scores["perplexity"]),
        "codes_used": float(scores["used_codes"]),
        "n_codes": float(scores["n_codes"]),
    }


def _of_masked(model: Any, win: Windows, device: str | torch.device, seed: int) -> dict[str, float]:
    scores = duin.score_code_prediction(model, win, device=device, seed=seed)
    loss = scores["cross_entropy"].to_series()
    return {
        **{str(name): float(value) for name, value in loss.items()},
        "unigram_entropy": float(scores["unigram_entropy"]),
        "gain": float(scores["gain"]),
        "accuracy": float(scores["accuracy"].sel(condition="masked")),
        "copy_accuracy": float(scores["copy_accuracy"]),
    }


@torch.no_grad()
def _of_spectra(model: Any, win: Windows, device: str | torch.device) -> dict[str, float]:
    """Compare the amplitudes of patches with what is made of their codes."""
    model.check(win)
    sums, counts = torch.zeros(()), torch.zeros(model.config.n_codes)
    for _, batch in evaluation_batches(model, win, batch_size=_BATCH, device=device):
        found = model(batch)
        values = (v.flatten(0, 1).flatten(1).cpu().double() for v in found[:2])
        sums = sums + _sums(*values)
        counts += torch.bincount(found.codes.flatten().cpu(), minlength=counts.numel())
    return {
        **_agreement(sums),
        "perplexity": float(perplexity(counts)),
        "codes_used": float((counts > 0).sum()),
        "n_codes": float(counts.numel()),
    }


def _sums(x: Tensor, y: Tensor) -> Tensor:
    """Add up what the scores of each feature need, so that no window is kept."""
    parts = (torch.ones_like(x), x, y, x * x, y * y, x * y)
    return torch.stack([part.sum(dim=0) for part in parts])


def _agreement(sums: Tensor) -> dict[str, float]:
    n, x, y, xx, yy, xy = sums
    r2 = 1 - (xx - 2 * xy + yy).sum() / (xx - x**2 / n).sum()
    n, x, y, xx, yy, xy = sums.sum(dim=1)
    spread = torch.sqrt((xx - x**2 / n) * (yy - y**2 / n))
    r = (xy - x * y / n) / spread if spread > 0 else torch.zeros(())
    return {"r2": float(r2), "r": float(r)}
