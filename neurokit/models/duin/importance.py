"""Which channels a Du-IN reads: the weights of its spatial encoder, and what it loses without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.duin.batches import subjects_of
from neurokit.models.duin.config import DuINConfig
from neurokit.models.duin.encoder import DuINEncoder
from neurokit.models.duin.masked import DuINMasked
from neurokit.models.duin.network import DuIN
from neurokit.models.duin.stages import EncoderModel
from neurokit.models.nn import Classifier, evaluation_batches

__all__ = ["channel_importance", "channel_weights"]

Errors = Callable[[dict[str, Tensor], dict[str, Tensor]], Tensor]


def channel_weights(model: DuIN | DuINMasked | DuINEncoder | Classifier) -> xr.DataArray:
    """Return how much each channel weighs in the map of its subject to virtual channels.

    The contribution of channels of Zheng et al. 2024 (arXiv 2405.11459): the mean absolute
    weight over virtual channels, as a share of the sum over the channels that the subject has,

    w_c = Σ_v |W_vc| / Σ_{c', v} |W_vc'|.

    Weights are comparable because channels are z-scores, but they say what the model can read
    and not what it makes of it; for that see :func:`channel_importance`.

    Parameters
    ----------
    model : DuIN, DuINMasked, DuINEncoder or Classifier
        Any stage.

    Returns
    -------
    DataArray, dims (subject, channel)
        Adds up to 1 in each subject; NaN in the padding of smaller montages. ``name`` (subject,
        channel) has the channels' names, if the config has them, or else their numbers.

    Raises
    ------
    DataError
        If the model is none of Du-IN.

    Examples
    --------
    >>> model = DuIN(DuINConfig.preset("tiny", channels=(3, 2)))
    >>> weights = channel_weights(model)
    >>> weights.isnull().values
    array([[False, False, False],
           [False, False,  True]])
    """
    encoder = _encoder(model)
    weight = encoder.spatial.weight.detach().abs().mean(dim=1).cpu().double().numpy()
    weight = np.where(_missing(encoder.config), np.nan, weight)
    share = weight / np.nansum(weight, axis=1, keepdims=True)
    return xr.DataArray(share, dims=("subject", "channel"), coords=_names(encoder.config, None))


@torch.no_grad()
def channel_importance(
    model: DuIN | Classifier,
    win: Any,
    *,
    n_repeats: int = 1,
    batch_size: int = 16,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> xr.Dataset:
    """Measure what a model loses when a channel shows another window of the same subject.

    Permutation importance (Breiman 2001, Machine Learning 45:5): one channel of each window is
    replaced by that channel in a window drawn from the same subject, so that it keeps its
    statistics and loses its relation to the others and to the label. A :class:`DuIN` is asked
    how much worse it rebuilds the window as it was, in all channels of the subject; a
    classifier, how much less it believes in the window's class. Channels that tell the same
    stand in for each other, and then all of them seem dispensable.

    Parameters
    ----------
    model : DuIN or Classifier
        Of stage 1, or of stage 3.
    win : Windows
        Held-out ones; labelled for a classifier.
    n_repeats : int
        Draws of other windows.
    batch_size : int
        Windows at a time, each with every channel replaced in turn.
    seed : int
        Of the draws.
    device : str or torch.device
        Where to compute.

    Returns
    -------
    Dataset, dims (subject, channel)
        ``importance``, the rise of the mean squared error (in units of a channel's variance) or
        of the cross-entropy (nats), and ``standard_error`` over windows, which is too small
        where windows overlap. NaN in the padding of smaller montages and for subjects without
        windows. ``name`` has the names of the channels.

    Raises
    ------
    DataError
        Windows that do not fit the model or have no label, a subject with a single window, or
        a model of another kind.

    Examples
    --------
    >>> import neurokit as nk
    >>> noise = np.random.default_rng(0).normal(size=(4000, 2))
    >>> rec = nk.Recording.from_array(noise, 1024, stream="ieeg", units="z")
    >>> win = nk.windows.sliding(rec, stream="ieeg", length=1000 / 1024)
    >>> model = DuIN(DuINConfig.preset("tiny", channels=(2,)))
    >>> dict(channel_importance(model, win)["importance"].sizes)
    {'subject': 1, 'channel': 2}
    """
    repeats = arguments.whole("n_repeats", n_repeats, least=1)
    config, errors, unit = _question(model, win)
    model.check(win)
    generator = np.random.default_rng(arguments.whole("seed", seed, least=0))
    rise = np.zeros((config.n_channels, len(win)))
    subject = _subjects(win)
    for _ in range(repeats):
        donor = _donors(subject, generator)
        for rows, batch in evaluation_batches(model, win, batch_size=batch_size, device=device):
            other = win.batch(donor[rows])["x"].to(batch["x"].device)
            rise[:, rows] += _rise(errors, batch, other) / repeats
    return _summary(rise, subject, config, win).assign_attrs(units=unit, n_repeats=repeats)


def _encoder(model: Any) -> DuINEncoder:
    """Return the part that all stages share."""
    inner = model.backbone if isinstance(model, Classifier) else model
    if isinstance(inner, EncoderModel):
        return inner.encoder
    what = f"{type(model).__name__} of {type(inner).__name__}" if inner is not model else None
    if not isinstance(inner, DuINEncoder):
        raise DataError(
            f"Got a {what or type(model).__name__}, expected a DuIN of any stage: another model "
            "has no map of channels a subject."
        )
    return inner


def _question(model: Any, win: Any) -> tuple[DuINConfig, Errors, str]:
    """Return the model's settings, what is asked of it for each window, and the answer's unit."""
    config = _encoder(model).config
    if isinstance(model, DuIN):
        return config, lambda batch, shown: _squared_errors(model, batch, shown), "variance"
    if not isinstance(model, Classifier):
        raise DataError(
            f"A {type(model).__name__} has no score of a window. Pass the DuIN of stage 1, or a "
            "classifier of stage 3."
        )
    place = _class_places(model, win)

    def cross_entropies(batch: dict[str, Tensor], shown: dict[str, Tensor]) -> Tensor:
        label = place.to(batch["label"].device)[batch["label"].long()]
        return F.cross_entropy(model(shown).float(), label, reduction="none")

    return config, cross_entropies, "nats"


def _squared_errors(model: DuIN, batch: dict[str, Tensor], shown: dict[str, Tensor]) -> Tensor:
    """Compare each window as it was with what is rebuilt of it as it is shown."""
    config = model.config
    error = (model(shown)[0].float() - batch["x"]).square().mean(dim=1)
    subject, n_channels = subjects_of(batch, config), model.encoder.n_channels
    there = torch.arange(config.n_channels, device=error.device) < n_channels[subject][:, None]
    return torch.where(there, error, 0.0).sum(dim=1) / n_channels[subject]


def _class_places(model: Classifier, win: Any) -> Tensor:
    """Return, for each number that is a label, the place of its class in the model."""
    if win.labels is None:
        raise DataError("The windows have no labels. Cut them with labels=.")
    names = list(win.classes) or [str(k) for k in range(int(win.labels.max()) + 1)]
    known = model.config.classes
    for label in np.unique(win.labels).astype(int):
        if names[label] not in known:
            raise UnknownNameError("class", names[label], known)
    return torch.tensor([known.index(name) if name in known else -1 for name in names])


def _donors(subject: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Return for each window another one of the same subject."""
    donor = np.empty(len(subject), dtype=np.int64)
    for number in np.unique(subject):
        mine = generator.permutation(np.flatnonzero(subject == number))
        if mine.size < 2:
            raise DataError(
                f"Subject {number} has a single window, and no other to take a channel from."
            )
        donor[mine] = np.roll(mine, generator.integers(1, mine.size))
    return donor


def _rise(errors: Errors, batch: dict[str, Tensor], other: Tensor) -> NDArray[np.float64]:
    """Return the rise of each window's error for each channel that is replaced."""
    x = batch["x"]
    n_windows, _, n_channels = x.shape
    shown = x.expand(n_channels, *x.shape).clone()
    shown.diagonal(dim1=0, dim2=3).copy_(other)
    many = {
        key: value.repeat(n_channels, *(1,) * (value.ndim - 1))
        for key, value in batch.items()
        if key in ("x", "subject", "label")
    }
    worse = errors(many, {**many, "x": shown.flatten(0, 1)}).view(n_channels, n_windows)
    return (worse - errors(batch, batch)).cpu().double().numpy()


def _summary(
    rise: NDArray[np.float64], subject: NDArray[np.int64], config: DuINConfig, win: Any
) -> xr.Dataset:
    """Average over the windows of each subject."""
    found = np.full((2, config.n_subjects, config.n_channels), np.nan)
    for number in np.unique(subject):
        mine = rise[:, subject == number]
        spread = mine.std(axis=1, ddof=1) / np.sqrt(mine.shape[1])
        found[:, number] = mine.mean(axis=1), spread
    found[:, _missing(config)] = np.nan
    by = ("subject", "channel")
    values = {"importance": (by, found[0]), "standard_error": (by, found[1])}
    return xr.Dataset(values, coords=_names(config, win.montages))


def _names(
    config: DuINConfig, montages: tuple[tuple[str, ...], ...] | None
) -> dict[str, tuple[tuple[str, str], NDArray[np.str_]]]:
    """Return the name of each subject's channels; empty in the padding."""
    known = config.names or montages
    known = known or tuple(tuple(str(k) for k in range(n)) for n in config.channels)
    padded = [(*names, *("",) * (config.n_channels - len(names))) for names in known]
    return {"name": (("subject", "channel"), np.array(padded))}


def _missing(config: DuINConfig) -> NDArray[np.bool_]:
    return np.arange(config.n_channels) >= np.array(config.channels)[:, None]


def _subjects(win: Any) -> NDArray[np.int64]:
    return np.asarray(getattr(win, "subject", np.zeros(len(win), dtype=np.int64)))
