"""What a model failed to learn of who drives whom, from its errors on recorded spikes.

A short training leaves weak connections unlearnt, and no question put to the model will find
them. They are in its errors: after spikes of a source, a target fires more often than the model
expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor

from neurokit.devices import find_device
from neurokit.models.neuroformer.perturbation import half_window, perturbation_effects
from neurokit.models.neuroformer.unit_pairs import impossible_ids, labelled_pairs, session_places
from neurokit.models.nn import evaluation_batches
from neurokit.windows.spike_tokens import EOS, FIRST, PAD

if TYPE_CHECKING:
    from neurokit.models.neuroformer.network import Neuroformer

__all__ = ["corrected_effects", "unexplained_effects"]


def corrected_effects(
    model: Neuroformer,
    win: Any,
    *,
    n_contexts: int = 300,
    batch_size: int = 256,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.DataArray:
    """Measure the effects that a model knows of, and add what its errors say it does not know.

        effect = perturbation + λ × unexplained,  λ = max(0, 1 - Σ error² / Σ unexplained²),

    with sums over pairs and the standard errors of the unexplained parts, the estimator of
    James and Stein (1961) with its positive part: errors that are no larger than chance makes
    them add nothing. As in augmented estimators of causal effects (Robins, Rotnitzky and Zhao
    1994, J. Am. Stat. Assoc. 89:846) either part may find a connection. With a model that has
    learnt nothing but rates, this is a lagged cross-covariance; with one that has learnt
    everything, its perturbation.

    Parameters
    ----------
    model : Neuroformer
        Trained.
    win : SpikeWindows
        Of one session. Windows that the model was trained on are allowed: where it has learnt
        them by heart its errors are too small, which the perturbation makes up for.
    n_contexts : int
        Windows in which a spike is put; see :func:`perturbation_effects`.
    batch_size : int
        Windows at a time.
    seed : int
        Of the windows that are drawn.
    device : str or torch.device
        Where to compute.
    progress : bool, optional
        Show a progress bar; by default on terminals alone.

    Returns
    -------
    xr.DataArray
        Dims ``(target, source)``, unit ids as coordinates: spikes of the target per spike of
        the source, NaN on the diagonal. Attribute ``unexplained_share`` is λ.

    Raises
    ------
    DataError
        Windows of several sessions, or that do not fit the model.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.11, 0.35, 0.62], [4, 7, 4], duration=1.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> corrected_effects(model, win, n_contexts=7, device="cpu").attrs["method"]
    'corrected'
    """
    shared: dict[str, Any] = {"batch_size": batch_size, "device": device, "progress": progress}
    effect = perturbation_effects(model, win, n_contexts=n_contexts, seed=seed, **shared)
    rest = unexplained_effects(model, win, **shared)
    size = float((rest["effect"] ** 2).sum())
    share = max(0.0, 1 - float((rest["standard_error"] ** 2).sum()) / size) if size else 0.0
    facts = {**effect.attrs, "method": "corrected", "unexplained_share": share}
    return (effect + share * rest["effect"]).assign_attrs(facts)


@torch.no_grad()
def unexplained_effects(
    model: Neuroformer,
    win: Any,
    *,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.Dataset:
    """Measure how many spikes follow those of each unit beyond what a model expects.

    The number of the target's spikes after the source's, in the window, minus the number that
    the model expects there, averaged over the source's spikes; of those in the half length
    before a window's beginning and those in the half after it, then over both. That is the
    effect that :func:`perturbation_effects` asks the model for, as far as the model is wrong.

    Parameters
    ----------
    model : Neuroformer
        Trained.
    win : SpikeWindows
        Of one session.
    batch_size : int
        Windows at a time.
    device : str or torch.device
        Where to compute.
    progress : bool, optional
        Show a progress bar; by default on terminals alone.

    Returns
    -------
    xr.Dataset
        ``effect`` and ``standard_error`` over ``(target, source)``, in spikes per spike, NaN on
        the diagonal. 0 for sources without spikes.

    Raises
    ------
    DataError
        Windows of several sessions, or that do not fit the model.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.11, 0.35, 0.62], [4, 7, 4], duration=1.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> sorted(unexplained_effects(model, win, device="cpu"))
    ['effect', 'standard_error']
    """
    model.check(win)
    units, n, place = session_places(win), model.config.n_units, find_device(device)
    sums = torch.zeros(2, 2, n, n, device=place)
    count = torch.zeros(2, n, device=place)
    impossible = impossible_ids(win)[win.recording_index[0]].to(place)
    for _, batch in evaluation_batches(
        model, win, batch_size=batch_size, device=place, progress=progress, desc="errors"
    ):
        _add_errors(sums, count, model, batch, half_window(win), impossible)
    times = count.cpu().double().clamp(min=1)[:, None, :, None]
    mean, square = (sums.cpu().double() / times).transpose(0, 1)
    error = ((square - mean**2) / times[:, 0]).clamp(min=0).sum(dim=0).sqrt() / 2
    parts = {"effect": mean.mean(dim=0), "standard_error": error}
    arrays = {name: part.T.numpy()[np.ix_(units, units)] for name, part in parts.items()}
    return xr.Dataset({name: labelled_pairs(values, win, units) for name, values in arrays.items()})


def _add_errors(
    sums: Tensor,
    count: Tensor,
    model: Neuroformer,
    batch: dict[str, Tensor],
    half: int,
    impossible: Tensor,
) -> None:
    """Add errors after each source's spikes, and their squares: (side, power, source, target)."""
    id, config = batch["id"], model.config
    logits = model.id_logits(model.hidden(batch)).float()
    chance = logits.masked_fill(impossible, -torch.inf).softmax(dim=-1)
    following = F.pad(id[:, 1:], (0, 1), value=PAD)
    wrong = F.one_hot(following, config.n_ids) - chance
    wrong = wrong[..., FIRST:] * ((id != PAD) & (id != EOS))[..., None]
    # Summed from each place to the end of the window.
    rest = wrong.flip(1).cumsum(dim=1).flip(1)
    before = (batch["past_id"] >= FIRST) & (
        batch["past_step"] >= config.n_past_steps - half + FIRST
    )
    window, column = before.nonzero(as_tuple=True)
    _add(sums[0], count[0], batch["past_id"][window, column] - FIRST, rest[window, 0])
    inside = (id >= FIRST) & (batch["step"] < half + FIRST)
    window, column = inside.nonzero(as_tuple=True)
    _add(sums[1], count[1], id[window, column] - FIRST, rest[window, column])


def _add(sums: Tensor, count: Tensor, source: Tensor, error: Tensor) -> None:
    sums[0].index_add_(0, source, error)
    sums[1].index_add_(0, source, error**2)
    count.index_add_(0, source, torch.ones_like(source, dtype=count.dtype))
