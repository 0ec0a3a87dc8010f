"""Behaviour read from spikes: heads for few labels, predictions, and honest scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.devices import lent
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer.blocks import blocks_drawn, interval
from neurokit.models.neuroformer.network import Neuroformer
from neurokit.progress import progress_bar
from neurokit.recording import Recording

__all__ = ["direction_variables", "read_behaviour", "score_behaviour", "with_targets"]

Array = NDArray[np.float64]

HEAD = "target_head."
N_SHIFTS = 200


def with_targets(
    model: Neuroformer, targets: Sequence[str], *, seed: int = 0, **settings: Any
) -> Neuroformer:
    """Give a copy of a pretrained model a new head for behaviour.

    ``nk.training.fit`` then fine-tunes it on windows that have these targets. With labels for a
    few windows only, take those: ``fit(with_targets(model, ["speed"]), win.take(rows), ...)``.

    Parameters
    ----------
    model : Neuroformer
        Left as it is.
    targets : sequence of str
        Names of the variables, ``win.target_names``.
    seed : int
        Of the head's first weights.
    **settings
        Of the configuration, which change no other weights: ``dropout``, ``target_classes``.

    Returns
    -------
    Neuroformer
        With the weights of the model, and a head that has learnt nothing.

    Raises
    ------
    DataError
        No target, or settings that make another network.

    Examples
    --------
    >>> import neurokit as nk
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.preset("tiny"))
    >>> with_targets(model, ["speed"]).config.targets
    ('speed',)
    """
    names = tuple(arguments.name_list("targets", targets))
    if not names:
        raise DataError("Expected the names of variables to read; got none.")
    grown = Neuroformer(replace(model.config, targets=names, seed=seed, **settings))
    own = grown.state_dict()
    kept = {k: v for k, v in model.state_dict().items() if not k.startswith(HEAD)}
    other = [k for k, v in own.items() if not k.startswith(HEAD) and k not in kept]
    other += [k for k, v in kept.items() if k not in own or own[k].shape != v.shape]
    if other:
        raise DataError(f"With {settings} this is another network: {other[0]} differs.")
    grown.load_state_dict({**own, **kept})
    # The seed was the head's.
    grown.config = replace(grown.config, seed=model.config.seed)
    return grown


@torch.no_grad()
def read_behaviour(
    model: Neuroformer,
    win: Any,
    *,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.Dataset:
    """Read the targets that a model was trained for from each window.

    Parameters
    ----------
    model : Neuroformer
        With targets.
    win : SpikeWindows
        With or without targets of their own.
    batch_size : int
        Windows at a time; the result does not depend on it.
    device : str or torch.device
        Where to compute.
    progress : bool, optional
        Show a progress bar; by default on terminals alone.

    Returns
    -------
    Dataset
        By ``window`` and ``target``: ``predicted`` and, where the windows have them, ``true``;
        the coordinates ``recording`` and ``start`` (s).

    Raises
    ------
    DataError
        A model without targets, or windows that do not fit it or have other targets.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.datasets.simulate_latent_population(duration=1.0)
    >>> rec = nk.preprocessing.standardize(rec, "behaviour")
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2,
    ...                                targets={"behaviour": ["speed"]})
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> dict(read_behaviour(model, win, device="cpu").sizes)
    {'window': 8, 'target': 1}
    """
    names = model.config.targets
    if not names:
        raise DataError("This Neuroformer reads no behaviour. Give it a head: with_targets.")
    if win.target_names and tuple(win.target_names) != names:
        raise DataError(f"The model reads {names}, the windows have {tuple(win.target_names)}.")
    model.check(win)
    size = arguments.whole("batch_size", batch_size, least=1)
    parts: dict[str, list[NDArray[Any]]] = {"predicted": [], "true": []}
    with lent(model, device) as place:
        starts = range(0, len(win), size)
        for first in progress_bar(starts, enabled=progress, desc="read", unit="batch"):
            batch = win.batch(np.arange(first, min(first + size, len(win))))
            if "target" in batch:
                parts["true"].append(batch.pop("target").numpy())
            read = model.read_target({k: v.to(place) for k, v in batch.items()})
            parts["predicted"].append(read.float().cpu().numpy())
    found = {name: np.concatenate(values) for name, values in parts.items() if values}
    return xr.Dataset(
        {name: (("window", "target"), values) for name, values in found.items()},
        {
            "target": list(names),
            "recording": ("window", np.asarray(win.recording_index)),
            "start": ("window", np.asarray(win.start)),
        },
    )


def score_behaviour(
    true: ArrayLike,
    predicted: ArrayLike,
    block: ArrayLike,
    *,
    direction: bool = False,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Score predicted behaviour on held-out windows, beside chance.

    Behaviour is slow, so that series which have nothing to do with each other correlate. Chance
    is what predictions score that are shifted in time by at least a twentieth of the windows.

    Parameters
    ----------
    true, predicted : array-like, shape (window,)
        In the order of time. Windows whose true value is missing are left out.
    block : array-like of int, shape (window,)
        The stretch of time that each window is of, see :func:`blocks_of`: what is drawn anew
        for intervals.
    direction : bool
        Whether values are directions in radians. Errors are then angles.
    n_bootstrap : int
        Draws.
    seed : int
        Of draws and shifts.

    Returns
    -------
    Dataset
        By ``metric``, ``"r"`` (Pearson's) and ``"r2"`` (share of variance explained), or
        ``"median_error"`` and ``"mean_error"`` in degrees: ``score``; ``low`` and ``high``, its
        95 % interval over blocks; ``chance``, the mean over shifts, and ``best_shift``, what
        the best 2.5 % of shifts reach. ``n_windows`` and ``n_blocks`` as attributes.

    Raises
    ------
    DataError
        Arrays of different lengths, fewer than two blocks, or predictions that are missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true = rng.normal(size=400)
    >>> found = score_behaviour(true, true + rng.normal(size=400), np.arange(400) // 20)
    >>> bool(0.6 < found["score"].sel(metric="r") < 0.8)
    True
    """
    pair, block = _paired(true, predicted, block)
    measure: Callable[..., Array] = _angles if direction else _fits
    n, n_blocks = block.size, int(block.max(initial=-1)) + 1
    drawn = blocks_drawn(n_blocks, n_bootstrap, seed)[:, block].astype(np.float64)
    low, high = interval(measure(pair[0], pair[1], drawn), n_blocks)
    least = max(1, n // 20)
    shifts = np.random.default_rng(seed).integers(least, max(n - least, least + 1), N_SHIFTS)
    once = np.ones((1, n))
    null = np.concatenate([measure(pair[0], np.roll(pair[1], s), once) for s in shifts])
    best = np.percentile(null, 2.5 if direction else 97.5, axis=0)
    names = ["median_error", "mean_error"] if direction else ["r", "r2"]
    return xr.Dataset(
        {
            "score": ("metric", measure(pair[0], pair[1], once)[0]),
            "low": ("metric", low),
            "high": ("metric", high),
            "chance": ("metric", null.mean(axis=0)),
            "best_shift": ("metric", best),
        },
        {"metric": names},
        {"n_windows": n, "n_blocks": n_blocks, "n_bootstrap": n_bootstrap, "seed": seed},
    )


def direction_variables(rec: Recording, stream: str, variable: str) -> Recording:
    """Replace a direction by its cosine and sine, which have no jump at a full turn.

    Parameters
    ----------
    rec : Recording
        With a stream of variables.
    stream : str
        Which.
    variable : str
        The direction, in radians.

    Returns
    -------
    Recording
        Whose stream holds ``"cos "`` and ``"sin "`` of it in place of the variable, in front of
        the others. The direction is ``arctan2`` of sine and cosine.

    Raises
    ------
    UnknownNameError
        There is no such variable.

    Examples
    --------
    >>> angle = np.linspace(0, 6, 50)[:, None]
    >>> rec = Recording.from_array(angle, 10, stream="behaviour", channels=["heading"])
    >>> direction_variables(rec, "behaviour", "heading")["behaviour"]["variable"].values.tolist()
    ['cos heading', 'sin heading']
    """
    data = rec[stream]
    names = [str(name) for name in data["variable"].values]
    if variable not in names:
        raise UnknownNameError(f"variable of {stream!r}", variable, names)
    angle = data.sel(variable=variable).values
    kept = [name for name in names if name != variable]
    turned = xr.DataArray(
        np.stack([np.cos(angle), np.sin(angle)], axis=1),
        {"time": data["time"], "variable": [f"cos {variable}", f"sin {variable}"]},
        ("time", "variable"),
    )
    out = xr.concat([turned, data.sel(variable=kept)], "variable").astype(np.float32)
    out = out.assign_attrs(data.attrs)
    line = f"direction_variables({stream}, {variable})"
    return rec.replace({**rec.streams, stream: out}, history=line)


def _paired(
    true: ArrayLike, predicted: ArrayLike, block: ArrayLike
) -> tuple[Array, NDArray[np.intp]]:
    """Return true and predicted values side by side, and blocks numbered without gaps."""
    values = [np.asarray(v, dtype=np.float64) for v in (true, predicted)]
    shapes = [v.shape for v in values] + [np.shape(block)]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        raise DataError(
            f"Expected one true and one predicted value and one block a window; got {shapes}."
        )
    known = ~np.isnan(values[0])
    pair = np.stack(values)[:, known]
    if not np.isfinite(pair).all():
        raise DataError(f"{int((~np.isfinite(pair[1])).sum())} predictions are not finite.")
    return pair, np.unique(np.asarray(block)[known], return_inverse=True)[1]


def _fits(true: Array, predicted: Array, weight: Array) -> Array:
    """Return r and the share of variance explained (draw, 2), windows weighted (draw, window)."""
    n = weight.sum(axis=1)
    mean_t, mean_p = weight @ true / n, weight @ predicted / n
    var_t, var_p = weight @ true**2 / n - mean_t**2, weight @ predicted**2 / n - mean_p**2
    shared = weight @ (true * predicted) / n - mean_t * mean_p
    with np.errstate(invalid="ignore", divide="ignore"):
        r = shared / np.sqrt(np.maximum(var_t, 0) * np.maximum(var_p, 0))
        r2 = 1 - weight @ (true - predicted) ** 2 / n / var_t
    return np.stack([r, r2], axis=1)


def _angles(true: Array, predicted: Array, weight: Array) -> Array:
    """Return median and mean angle between directions (draw, 2), in degrees."""
    error = np.degrees(np.abs(np.angle(np.exp(1j * (true - predicted)))))
    order = np.argsort(error)
    total = weight[:, order].cumsum(axis=1)
    middle = (total < total[:, -1:] / 2).sum(axis=1)
    return np.stack([error[order][middle], weight @ error / total[:, -1]], axis=1)
