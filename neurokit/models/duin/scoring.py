"""How well codes tell the waveform, and how well context tells codes, on held-out windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.duin.batches import subjects_of
from neurokit.models.duin.masked import DuINMasked
from neurokit.models.duin.network import DuIN
from neurokit.models.nn import evaluation_batches, perplexity, random_mask
from neurokit.models.nn.missing import refuse_missing

__all__ = ["score_code_prediction", "score_reconstruction"]


@torch.no_grad()
def score_reconstruction(
    model: DuIN, win: Any, *, batch_size: int = 64, device: str | torch.device = "auto"
) -> xr.Dataset:
    """Compare windows with what their codes tell of them.

    Parameters
    ----------
    model : DuIN
        Trained on other windows.
    win : Windows
        Held-out ones, standardised as those of training.
    batch_size : int
        Windows at a time.
    device : str or torch.device
        Where to compute.

    Returns
    -------
    xr.Dataset
        By ``subject`` and ``channel``: ``r``, Pearson's correlation of waveform and
        reconstruction over all samples, and ``r2``, the share of variance explained; NaN in the
        padding of smaller montages. ``perplexity`` and ``used_codes`` of the codes of all
        windows, and their number, ``n_codes``.

    Raises
    ------
    DataError
        Windows that do not fit the model.

    Examples
    --------
    >>> import neurokit as nk
    >>> noise = np.random.default_rng(0).normal(size=(4000, 1))
    >>> rec = nk.Recording.from_array(noise, 1024, stream="ieeg", units="z")
    >>> win = nk.windows.sliding(rec, stream="ieeg", length=1000 / 1024)
    >>> scores = score_reconstruction(DuIN(nk.models.DuINConfig.preset("tiny")), win)
    >>> dict(scores["r2"].sizes), bool(scores["r2"] < 0.5)
    ({'subject': 1, 'channel': 1}, True)
    """
    arguments.instance("model", model, DuIN, "a DuIN")
    config = model.config
    # Sums of 1, x, y, x², y², xy in double precision: nothing of the windows is kept.
    sums = np.zeros((6, config.n_subjects, config.n_channels))
    counts = torch.zeros(config.n_codes, dtype=torch.long)
    for batch in _batches(model, win, batch_size, device):
        found, codes, _ = model(batch)
        counts += torch.bincount(codes.cpu().flatten(), minlength=config.n_codes)
        x, y = (a.cpu().double().numpy() for a in (batch["x"], found))
        parts = np.stack([a.sum(axis=1) for a in (np.ones_like(x), x, y, x * x, y * y, x * y)])
        for row, subject in enumerate(subjects_of(batch, config).tolist()):
            sums[:, subject] += parts[:, row]
    return _reconstruction_scores(model, sums, counts)


@torch.no_grad()
def score_code_prediction(
    model: DuINMasked,
    win: Any,
    *,
    n_masks: int = 8,
    batch_size: int = 64,
    device: str | torch.device = "auto",
    seed: int = 0,
) -> xr.Dataset:
    """Ask how much the context of a token tells of its code.

    Parameters
    ----------
    model : DuINMasked
        Trained on other windows.
    win : Windows
        Held-out ones, standardised as those of training.
    n_masks : int
        Random masks, each with its complement, that scores are averaged over.
    batch_size : int
        Windows at a time.
    device : str or torch.device
        Where to compute.
    seed : int
        Of masks and shuffling.

    Returns
    -------
    xr.Dataset
        By ``condition``, in which a token is hidden (``"masked"``), all are seen
        (``"unmasked"``), or a token is hidden and the others are shuffled in time along with
        it (``"shuffled"``): ``cross_entropy`` in nats a token and ``accuracy``.
        ``unigram_entropy`` of the codes of these windows, in nats, is what a guess without
        context cannot do better than; it is that of each subject's own codes, since the model
        knows whose tokens it sees. ``gain`` is how far below it the masked cross-entropy
        lies. ``copy_accuracy`` is the accuracy of guessing the code of the token before.

    Raises
    ------
    DataError
        Windows that do not fit the model, or have a single token.

    Notes
    -----
    Cross-entropy is what counts: codes that last make copying the neighbour accurate, and an
    accuracy alone looks good for the same reason.

    Examples
    --------
    >>> import neurokit as nk
    >>> noise = np.random.default_rng(0).normal(size=(4000, 1))
    >>> rec = nk.Recording.from_array(noise, 1024, stream="ieeg", units="z")
    >>> win = nk.windows.sliding(rec, stream="ieeg", length=1000 / 1024)
    >>> tokenizer = DuIN(nk.models.DuINConfig.preset("tiny"))
    >>> for _ in range(8):  # a training of sorts
    ...     _ = tokenizer.loss(win.batch([0, 1, 2, 3]))
    >>> scores = score_code_prediction(DuINMasked(tokenizer.config, tokenizer=tokenizer), win)
    >>> scores["condition"].values.tolist()
    ['masked', 'unmasked', 'shuffled']
    """
    arguments.instance("model", model, DuINMasked, "a DuINMasked")
    n_masks = arguments.whole("n_masks", n_masks, least=1)
    generator = torch.Generator().manual_seed(seed)
    counts = torch.zeros(model.config.n_subjects, model.config.n_codes, dtype=torch.long)
    sums, copied, n = np.zeros((3, 2)), 0, np.zeros(2)
    for batch in _batches(model, win, batch_size, device):
        codes, tokens = model.codes(batch), model.encoder.tokens(batch)
        if codes.shape[1] < 2:
            raise DataError("The windows have one token each, which has no context. Cut longer.")
        subject = subjects_of(batch, model.config)
        place = subject[:, None] * model.config.n_codes + codes
        counts += torch.bincount(place.cpu().flatten(), minlength=counts.numel()).view_as(counts)
        copied += int((codes[:, 1:] == codes[:, :-1]).sum())
        n += codes.numel(), codes[:, 1:].numel()
        ask = _questioner(model, subject, n_masks, generator)
        order = torch.rand(codes.shape, generator=generator).argsort(dim=1).to(codes.device)
        shuffled = tokens.gather(1, order[..., None].expand_as(tokens))
        sums += (
            ask(tokens, codes, True),
            ask(tokens, codes, False),
            ask(shuffled, codes.gather(1, order), True),
        )
    return _prediction_scores(sums / n[0], counts, copied / n[1])


Question = Callable[[Tensor, Tensor, bool], tuple[float, float]]


def _questioner(
    model: DuINMasked, subject: Tensor, n_masks: int, generator: torch.Generator
) -> Question:
    """Return a function that sums cross-entropy and hits over the tokens of a batch."""

    def ask(tokens: Tensor, codes: Tensor, hide: bool) -> tuple[float, float]:
        total, hits = 0.0, 0.0
        repeats = n_masks if hide else 1
        for _ in range(repeats):
            shape, share = codes.shape, model.config.mask_fraction
            mask = random_mask(shape[0], shape[1], share, generator, codes.device)
            logits = model.predict(tokens, mask if hide else None, subject).float()
            total += float(F.cross_entropy(logits.transpose(1, 2), codes, reduction="sum"))
            hits += float((logits.argmax(dim=-1) == codes).sum())
        return total / repeats, hits / repeats

    return ask


def _batches(
    model: DuIN | DuINMasked, win: Any, batch_size: int, device: str | torch.device
) -> Iterator[dict[str, Tensor]]:
    """Yield all windows in order, on the device; the model is put there and back again."""
    model.check(win)
    for rows, batch in evaluation_batches(model, win, batch_size=batch_size, device=device):
        refuse_missing(batch["x"], rows, getattr(win, "names", ()))
        yield batch


def _reconstruction_scores(model: DuIN, sums: np.ndarray, counts: Tensor) -> xr.Dataset:
    config = model.config
    with np.errstate(invalid="ignore", divide="ignore"):
        _, x, y, xx, yy, xy = sums / sums[0]
        r = (xy - x * y) / np.sqrt((xx - x**2) * (yy - y**2))
        r2 = 1 - (xx - 2 * xy + yy) / (xx - x**2)
    missing = np.arange(config.n_channels) >= np.array(config.channels)[:, None]
    by = ("subject", "channel")
    return xr.Dataset(
        {
            "r": (by, np.where(missing, np.nan, r)),
            "r2": (by, np.where(missing, np.nan, r2)),
            "perplexity": float(perplexity(counts)),
            "used_codes": int((counts > 0).sum()),
            "n_codes": config.n_codes,
        }
    )


def _prediction_scores(means: np.ndarray, counts: Tensor, copied: float) -> xr.Dataset:
    share = counts.sum(dim=1) / counts.sum()
    entropy = sum(
        float(p * perplexity(own).log()) for p, own in zip(share, counts, strict=True) if p > 0
    )
    return xr.Dataset(
        {
            "cross_entropy": ("condition", means[:, 0], {"units": "nats"}),
            "accuracy": ("condition", means[:, 1]),
            "unigram_entropy": ((), entropy, {"units": "nats"}),
            "gain": ((), entropy - means[0, 0], {"units": "nats"}),
            "copy_accuracy": copied,
        },
        coords={"condition": ["masked", "unmasked", "shuffled"]},
    )
