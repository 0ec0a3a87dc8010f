"""How probable a Neuroformer finds spikes that it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from neurokit.errors import DataError
from neurokit.models.neuroformer.blocks import blocks_of, ratio_interval
from neurokit.models.neuroformer.glm import glm_likelihood, rate_likelihood, step_counts
from neurokit.models.neuroformer.unit_pairs import impossible_ids
from neurokit.models.nn import evaluation_batches
from neurokit.windows import assert_disjoint
from neurokit.windows.spike_tokens import EOS, FIRST, PAD

__all__ = ["held_out_likelihood", "window_likelihood"]


def held_out_likelihood(
    model: Any,
    train: Any,
    test: Any,
    *,
    block: float = 10.0,
    alpha: float | None = None,
    batch_size: int = 64,
    n_bootstrap: int = 1000,
    device: str | torch.device = "auto",
    seed: int = 0,
) -> xr.Dataset:
    """Compare a model's likelihood of held-out spikes with those of simpler predictors.

    All of them predict the number of spikes of each unit in each step: ``"rate"`` by the unit's
    mean rate in the held-out windows themselves, which is the reference; ``"tuning"`` by a
    Poisson regression on the modalities' variables at that step; ``"history"`` by one on the
    spikes of all units before that step; ``"tuning and history"`` by one on both; ``"model"``
    by the given model, see :func:`window_likelihood`.

    What they see is not the same: the model reads each modality up to the end of the window, so
    that it also knows what follows a spike there by up to ``length``, where the regressions take
    the sample at the step only. A modality that answers the spikes, as behaviour does, can so
    tell the model of them. Where that matters, give it the modality with a delay, or leave it
    out of ``beside``.

    Parameters
    ----------
    model : Neuroformer
        Trained on ``train``.
    train, test : SpikeWindows
        That share no spike; the regressions learn from the first.
    block : float
        Seconds of the stretches that are drawn anew for the interval.
    alpha : float, optional
        Penalty of the regressions. By default it is chosen within ``train``, see
        :func:`~neurokit.models.neuroformer.glm.glm_likelihood`.
    batch_size : int
        Windows at a time.
    n_bootstrap : int
        Draws.
    device : str or torch.device
        Where the model computes.
    seed : int
        Of the draws.

    Returns
    -------
    Dataset
        By ``predictor``: ``bits_per_spike``, the gain in log-likelihood over ``"rate"`` over
        the number of spikes and ln 2, and ``low`` and ``high``, its 95 % interval over
        stretches of time; ``behind``, ``behind_low`` and ``behind_high``, the bits a spike that
        each predictor lacks to the model, paired over the same stretches; ``log_likelihood`` in
        nats, also by ``window``. The predictors with ``tuning`` are there if the windows have
        modalities of variables. ``n_spikes`` by ``window``.

    Raises
    ------
    DataError
        Windows that share spikes or do not fit the model, and what :func:`window_likelihood`
        refuses.

    Examples
    --------
    >>> import neurokit as nk
    >>> time = np.sort(np.random.default_rng(0).uniform(0, 60, 900))
    >>> rec = nk.Recording.from_spikes(time, np.arange(900) % 3, duration=60)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> train, test = next(nk.windows.split_contiguous(win, 2))
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> found = held_out_likelihood(model, train, test, n_bootstrap=10, device="cpu")
    >>> found["predictor"].values.tolist(), float(found["bits_per_spike"].sel(predictor="rate"))
    (['rate', 'history', 'model'], 0.0)
    """
    for win in (train, test):
        model.check(win)
    assert_disjoint(train, test)
    of_model = window_likelihood(model, test, batch_size=batch_size, device=device)
    spikes = of_model["n_spikes"].values
    found = {"rate": rate_likelihood(test)}
    wanted = {"tuning": (True, False), "history": (False, True), "tuning and history": (True, True)}
    seen = bool(_variables(test))
    for name, (tuning, history) in wanted.items():
        if seen or not tuning:
            found[name] = glm_likelihood(
                train, test, _variables(test) if tuning else (), history=history, alpha=alpha
            )
    found["model"] = of_model["log_likelihood"].values
    likelihood = np.stack(list(found.values()))
    gain = np.stack([likelihood - found["rate"], found["model"] - likelihood]) / np.log(2)
    low, high = ratio_interval(gain, spikes, blocks_of(test, block), n_bootstrap, seed)
    over_rate, behind = gain.sum(axis=-1) / spikes.sum()
    return xr.Dataset(
        {
            "bits_per_spike": ("predictor", over_rate, {"units": "bit"}),
            "low": ("predictor", low[0]),
            "high": ("predictor", high[0]),
            "behind": ("predictor", behind, {"units": "bit"}),
            "behind_low": ("predictor", low[1]),
            "behind_high": ("predictor", high[1]),
            "log_likelihood": (("predictor", "window"), likelihood, {"units": "nat"}),
            "n_spikes": ("window", spikes),
        },
        {"predictor": list(found), "start": ("window", np.asarray(test.start))},
        {"block": block, "n_bootstrap": n_bootstrap, "seed": seed},
    )


@torch.no_grad()
def window_likelihood(
    model: Any,
    win: Any,
    *,
    batch_size: int = 64,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.Dataset:
    r"""Compute the log-likelihood of each window's spikes, each given all spikes before it.

    It is that of the process that generates: a unit or the end is drawn, then a step that is
    not before the last one; units of other sessions than the recording's are never drawn. The
    tokens of one step may come in any order, here one drawn when
    the windows were made, while the number of spikes of each unit in each step, :math:`c_{ku}`,
    has none. By Jensen's inequality

    .. math:: \log P(c) \ge \log p(\text{tokens})
              + \sum_k \Big[\log \big(\textstyle\sum_u c_{ku}\big)! - \sum_u \log c_{ku}!\Big],

    where the right side is what is returned: it is never too high on average, and comparable to
    the likelihood of Poisson counts.

    Parameters
    ----------
    model : Neuroformer
        Used in evaluation mode.
    win : SpikeWindows
        Held-out ones.
    batch_size : int
        Windows at a time; the result does not depend on it.
    device : str or torch.device
        Where to compute.
    progress : bool, optional
        Show a progress bar; by default on terminals alone.

    Returns
    -------
    Dataset
        By ``window``: ``log_likelihood`` (nats) of the counts, ``token_loss`` (nats), the
        negative log-probability of the tokens in their order, ``n_tokens``, with the end, and
        ``n_spikes``; the coordinates ``recording`` and ``start`` (s).

    Raises
    ------
    DataError
        No windows, windows that do not fit, or windows that were cut without some of their
        spikes.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.31, 0.35, 0.62], [0, 1, 0], duration=1.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> window_likelihood(model, win, device="cpu")["n_tokens"].values
    array([1, 3, 1, 1, 2, 1, 1, 1])
    """
    if not len(win):
        raise DataError("There are no windows to score.")
    if getattr(win, "dropped", 0):
        raise DataError(
            f"{win.dropped} spikes of these windows were cut off by max_spikes: what is left is "
            "not as likely as the recording. Cut windows without max_spikes, or shorter ones."
        )
    model.check(win)
    impossible = impossible_ids(win)
    parts = [
        _scored(model, batch, win, impossible[batch["recording"].cpu()]).cpu()
        for _, batch in evaluation_batches(
            model, win, batch_size=batch_size, device=device, progress=progress, desc="likelihood"
        )
    ]
    token_loss, orders, n_tokens, n_spikes = torch.cat(parts, dim=1).double().numpy()
    return xr.Dataset(
        {
            "log_likelihood": ("window", orders - token_loss, {"units": "nat"}),
            "token_loss": ("window", token_loss, {"units": "nat"}),
            "n_tokens": ("window", n_tokens.astype(np.int64)),
            "n_spikes": ("window", n_spikes.astype(np.int64)),
        },
        {
            "recording": ("window", np.asarray(win.recording_index)),
            "start": ("window", np.asarray(win.start)),
        },
    )


def _scored(model: Any, batch: dict[str, Tensor], win: Any, impossible: Tensor) -> Tensor:
    """Return token loss, log of the number of orders, tokens and spikes, each (window,).

    Tokens that are ``impossible``, of shape (window, token), are not drawn.
    """
    answer = model(batch)
    identity, step = batch["id"][:, 1:], batch["step"][:, 1:]
    real, spike = identity != PAD, identity >= FIRST
    # SOS has no step: after it, any is possible.
    last = batch["step"][:, :-1, None].clamp(min=FIRST)
    steps = torch.arange(answer.step_logits.shape[-1], device=identity.device)
    never = impossible[:, None].to(identity.device)
    loss = real * _surprise(answer.id_logits[:, :-1], identity, never)
    loss = loss + spike * _surprise(answer.step_logits[:, :-1], step.clamp(min=FIRST), steps < last)
    counts = step_counts(batch, len(win.vocabulary), win.n_samples)
    orders = torch.lgamma(counts.sum(2) + 1).sum(1) - torch.lgamma(counts + 1).sum((1, 2))
    return torch.stack([loss.sum(1), orders, real.sum(1), spike.sum(1)])


def _surprise(logits: Tensor, token: Tensor, impossible: Tensor) -> Tensor:
    """Return -log p of tokens (window, token), some of all being impossible."""
    log_p = logits.float().masked_fill(impossible, -torch.inf).log_softmax(dim=-1)
    # PAD is impossible as well, and is weighed by zero afterwards.
    found = log_p.gather(-1, token.clamp(min=EOS)[..., None]).squeeze(-1)
    return -found.clamp(min=torch.finfo(found.dtype).min)


def _variables(win: Any) -> tuple[str, ...]:
    """Name the streams beside the spikes that are variables, not frames."""
    return tuple(name for name in win.beside if len(win.sizes[name]) == 2)
