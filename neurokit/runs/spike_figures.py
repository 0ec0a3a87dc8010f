"""Figures of a Neuroformer on held-out windows, beside what they must beat."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from neurokit.alignment import RidgeCV
from neurokit.errors import DataError
from neurokit.models import baselines
from neurokit.models.evaluation.spike_sets import set_f1, window_counts
from neurokit.models.neuroformer.blocks import blocks_of
from neurokit.models.neuroformer.decoding import read_behaviour
from neurokit.models.neuroformer.generation import generate_samples
from neurokit.models.neuroformer.glm import glm_likelihood, rate_likelihood, step_counts
from neurokit.models.neuroformer.likelihood import window_likelihood
from neurokit.models.neuroformer.scoring import score_behaviour
from neurokit.models.nn import evaluation_batches
from neurokit.runs.cutting import Parts
from neurokit.training.batches import batch_rows
from neurokit.windows.spike_tokens import FIRST, PAD

__all__ = ["spike_figures"]

_BATCH = 256
_GENERATED = 512
_BLOCK = 10.0  # seconds drawn together; neighbouring windows are alike
# A regression on the spikes of all units takes the square of their number.
_MOST_UNITS = 100


def spike_figures(
    model: Any, parts: Parts, *, device: str | torch.device = "auto", seed: int = 0
) -> pd.DataFrame:
    """Measure a Neuroformer on windows that it was not trained on.

    Parameters
    ----------
    model : Neuroformer
        Trained on the parts' training windows.
    parts : Parts
        Windows of spikes.
    device : str or torch.device
        Where it runs.
    seed : int
        Of the random weights and of what is drawn.

    Returns
    -------
    DataFrame
        A row a measure: ``windows`` and ``spikes``; ``id_loss``, nats a token for the next unit
        or the end; ``bits_per_spike``, what is gained over each unit's mean rate; ``set_f1``, how
        well 512 windows that are drawn after their true past have the units that fired; and of
        each target ``r``, or of the cosine and sine of a direction the median error in degrees. A
        column each for the model, the same with random weights, ``rates`` (how often each unit
        fired in training), ``GLM`` (Poisson regressions on the spikes before; of 100 units at
        most), ``GLM with variables`` (on what is seen beside the spikes, too) and ``ridge`` (on the
        windows' spike counts).

    Examples
    --------
    >>> import neurokit as nk
    >>> rng = np.random.default_rng(0)
    >>> rec = nk.Recording.from_spikes(rng.uniform(0, 60, 900), rng.integers(0, 3, 900), 60.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> parts = Parts(*next(nk.windows.split_contiguous(win, 2)))
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> figures = spike_figures(model, parts, device="cpu")
    >>> float(figures.loc["bits_per_spike", "rates"]), figures.columns.tolist()
    (0.0, ['trained', 'random weights', 'rates', 'GLM'])
    """
    untrained = baselines.random_weights(model, seed)
    train, test = (_facts(win, bool(model.config.targets)) for win in (parts.train, parts.test))
    reference = rate_likelihood(parts.test)
    both = {"trained": model, "random weights": untrained}
    found = {name: _of_spikes(one, parts.test, reference, device) for name, one in both.items()}
    found["trained"]["set_f1"] = _generated_f1(model, _some(parts.test), device, seed)
    found["rates"] = {
        "id_loss": _unigram_loss(train, test),
        "bits_per_spike": 0.0,
        "set_f1": _drawn_f1(train.n_next[FIRST:] / len(parts.train), _some(parts.test), seed),
    }
    for name, streams in _regressions(parts.test).items():
        fitted = glm_likelihood(parts.train, parts.test, streams, history=True)
        found[name] = {"bits_per_spike": _bits(fitted - reference, test.n_next[FIRST:].sum())}
    if model.config.targets:
        read = {n: read_behaviour(one, parts.test, device=device) for n, one in both.items()}
        predicted = {name: one["predicted"].values for name, one in read.items()}
        predicted["ridge"] = _ridge(train, test)
        for name, values in predicted.items():
            found.setdefault(name, {}).update(_of_targets(values, test.target, parts.test, seed))
    rows = list(dict.fromkeys(row for column in found.values() for row in column))
    return pd.DataFrame(found, index=rows)


class _Facts(NamedTuple):
    """What the simpler predictors know of windows."""

    n_next: np.ndarray  # how often each token comes next
    counts: np.ndarray  # square roots of spike counts, (window, unit in the window or its past)
    target: np.ndarray


def _facts(win: Any, reads: bool) -> _Facts:
    """Gather them batch by batch; counts and targets only where something is read."""
    n_units = len(win.vocabulary)
    n_next = np.zeros(n_units + 3)
    n_read = len(win) if reads else 0
    counts = np.empty((n_read, 2 * n_units), np.float32)
    target = np.empty((n_read, len(win.target_names)), np.float32)
    for rows in batch_rows(len(win), _BATCH):
        batch = win.batch(rows)
        n_next += np.bincount(batch["id"][:, 1:].flatten(), minlength=n_next.size)
        if reads:
            now = step_counts(batch, n_units, win.n_samples).sum(dim=1)
            past = step_counts(batch, n_units, win.n_history, "past_").sum(dim=1)
            counts[rows] = torch.cat([now, past], dim=1).sqrt().numpy()
            target[rows] = batch["target"].numpy()
    n_next[PAD] = 0
    return _Facts(n_next, counts, target)


def _regressions(win: Any) -> dict[str, tuple[str, ...]]:
    """Name the regressions that can be afforded, and what each sees beside the spikes."""
    if len(win.vocabulary) > _MOST_UNITS:
        return {}
    seen = tuple(name for name, shape in win.sizes.items() if len(shape) == 2)
    return {"GLM": (), **({"GLM with variables": seen} if seen else {})}


def _of_spikes(
    model: Any, test: Any, reference: np.ndarray, device: str | torch.device
) -> dict[str, float]:
    scored = window_likelihood(model, test, device=device)
    spikes = int(scored["n_spikes"].sum())
    return {
        "windows": float(len(test)),
        "spikes": float(spikes),
        "id_loss": _id_loss(model, test, device),
        "bits_per_spike": _bits(scored["log_likelihood"].values - reference, spikes),
    }


def _bits(gain: np.ndarray, spikes: int) -> float:
    return float(gain.sum() / spikes / np.log(2))


def _some(test: Any) -> Any:
    """Take as many windows as are generated, spread over all."""
    return test.take(np.unique(np.linspace(0, len(test) - 1, _GENERATED).round().astype(int)))


def _generated_f1(model: Any, win: Any, device: str | torch.device, seed: int) -> float:
    """Let a model draw each window after its true past, and compare which units fire."""
    made = generate_samples(
        model, win, free_running=False, device=device, seed=seed, batch_size=_BATCH, progress=False
    )
    scores = []
    for (place, mine), drawn in zip(win.by_recording(), made, strict=True):
        true, guess = (
            window_counts(rec, win.start[mine], win.length)
            for rec in (win.recordings[place], drawn)
        )
        scores.append(set_f1(true, guess.sel(unit=true["unit"]))["f1"].values)
    return float(np.nanmean(np.concatenate(scores)))


def _drawn_f1(mean: np.ndarray, win: Any, seed: int) -> float:
    """Draw each unit in each window as often as it fires in a window of the training."""
    batch = win.batch(np.arange(len(win)))
    true = step_counts(batch, len(win.vocabulary), win.n_samples).sum(dim=1).numpy()
    drawn = np.random.default_rng(seed).poisson(mean, true.shape)
    return float(set_f1(true, drawn)["f1"].mean())


@torch.no_grad()
def _id_loss(model: Any, win: Any, device: str | torch.device) -> float:
    """Return the cross-entropy of the next unit or end, over all tokens alike."""
    total, n = 0.0, 0
    for _, batch in evaluation_batches(model, win, batch_size=_BATCH, device=device):
        size = int((batch["id"][:, 1:] != PAD).sum())
        total, n = total + float(model.loss(batch)["id_loss"]) * size, n + size
    return total / n


def _unigram_loss(train: _Facts, test: _Facts) -> float:
    """Return the same of a model that knows how often each token comes."""
    # What never came in training is not impossible.
    log_p = np.log((train.n_next + 0.5) / (train.n_next + 0.5).sum())
    return float(-(test.n_next * log_p).sum() / test.n_next.sum())


def _ridge(train: _Facts, test: _Facts) -> np.ndarray:
    """Read targets from the square roots of the spike counts of windows and their past."""
    known = np.isfinite(train.target).all(axis=1)
    if not known.any():
        raise DataError("No training window has all of its targets.")
    with warnings.catch_warnings():
        # With few units no penalty is best, and with no signal the largest: both are answers.
        warnings.filterwarnings("ignore", "Penalty grid edge")
        fitted = RidgeCV(selection="kfold", device="cpu").fit(
            train.counts[known], train.target[known]
        )
    return fitted.predict(test.counts)


def _of_targets(predicted: np.ndarray, true: np.ndarray, test: Any, seed: int) -> dict[str, float]:
    """Score what was read: directions by their angle, others by their correlation."""
    names, block, found = list(test.target_names), blocks_of(test, _BLOCK), {}
    for at, name in enumerate(names):
        kind, _, variable = name.partition(" ")
        turned = f"sin {variable}"
        if kind == "cos" and turned in names:
            pair = [at, names.index(turned)]
            angle, read = (np.arctan2(v[:, pair[1]], v[:, pair[0]]) for v in (true, predicted))
            score = score_behaviour(angle, read, block, direction=True, seed=seed)["score"]
            found[f"{variable}, median error (°)"] = float(score.sel(metric="median_error"))
        elif not (kind == "sin" and f"cos {variable}" in names):
            score = score_behaviour(true[:, at], predicted[:, at], block, seed=seed)["score"]
            found[f"{name}, r"] = float(score.sel(metric="r"))
    return found
