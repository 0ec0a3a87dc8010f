"""Behaviour read from spikes: heads for few labels, and what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer.config import NeuroformerConfig
from neurokit.models.neuroformer.labels import UNKNOWN_RANGE, classes_of, known_of
from neurokit.models.neuroformer.network import Neuroformer
from neurokit.models.nn import evaluation_batches
from neurokit.recording import Recording

__all__ = ["direction_variables", "read_behaviour", "with_targets"]

HEAD = "target_head."


def with_targets(
    model: Neuroformer,
    targets: Sequence[str],
    *,
    win: Any | None = None,
    seed: int = 0,
    **settings: Any,
) -> Neuroformer:
    """Give a copy of a pretrained model a new head for behaviour.

    ``nk.training.fit`` then fine-tunes it on windows that have these targets. With labels for a
    few windows only, take those: ``few = win.take(rows)``, then
    ``fit(with_targets(model, ["speed"], win=few), few, ...)``.

    Parameters
    ----------
    model : Neuroformer
        Left as it is.
    targets : sequence of str
        Names of the variables, ``win.target_names``.
    win : SpikeWindows, optional
        Windows of training, from whose targets the head knows the mean and the spread, or with
        ``target_classes`` the range. Without them labels are taken for z-scores.
    seed : int
        Of the head's first weights.
    **settings
        Of the configuration, which change no other weights: ``dropout``, ``target_classes``,
        ``target_range``.

    Returns
    -------
    Neuroformer
        With the weights of the model, and a head that has learnt nothing.

    Raises
    ------
    DataError
        No target, windows with other targets, or settings that make another network.
    UnknownNameError
        A setting that there is not.

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
    fields = NeuroformerConfig.__dataclass_fields__
    for name in settings:
        if name not in fields:
            raise UnknownNameError("setting", name, fields)
    known = _of_labels(win, names, settings.get("target_classes", model.config.target_classes))
    grown = Neuroformer(
        replace(model.config, **{**known, **settings, "targets": names, "seed": seed})
    )
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


def _of_labels(win: Any | None, names: tuple[str, ...], n_classes: int) -> dict[str, Any]:
    """Return what the settings take from windows; what another head knew is forgotten."""
    unknown: dict[str, Any] = dict.fromkeys(("target_mean", "target_spread", "target_units"), ())
    unknown["target_range"] = (UNKNOWN_RANGE,)
    if win is None:
        return unknown
    arguments.like("win", win, "target_names", "windows with targets")
    if tuple(win.target_names) != names:
        raise DataError(f"The windows have targets {tuple(win.target_names)}, not {names}.")
    return {**unknown, **known_of(win, n_classes)}


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
        the coordinates ``recording`` and ``start`` (s). A model with ``target_classes`` also
        gives the ``probability`` of each ``class``, numbered from 0, and the ``true_class``, NaN
        where there is no label; the coordinate ``middle`` is that of each class's bin, of which
        ``predicted`` is the mean.

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

    With classes, and how the answer is scored:

    >>> from neurokit.models.neuroformer import blocks_of, score_behaviour
    >>> rec = nk.datasets.simulate_latent_population(n_units=5, duration=60.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2,
    ...                                targets={"behaviour": ["speed"]})
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win, target_classes=2))
    >>> speed = read_behaviour(model, win, device="cpu").sel(target="speed")
    >>> speed["probability"].sel({"class": 1}).shape
    (598,)
    >>> found = score_behaviour(speed["true_class"], speed["probability"], blocks_of(win, 2.0))
    >>> found["metric"].values.tolist()
    ['auroc', 'auprc', 'balanced_accuracy']
    """
    names, head = model.config.targets, model.target_head
    if head is None:
        raise DataError("This Neuroformer reads no behaviour. Give it a head: with_targets.")
    model.check(win)
    dims = {
        "predicted": ("window", "target"),
        "true": ("window", "target"),
        "true_class": ("window", "target"),
        "probability": ("window", "target", "class"),
    }
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in dims}
    for _, batch in evaluation_batches(
        model, win, batch_size=batch_size, device=device, progress=progress, desc="read"
    ):
        if "target" in batch:
            true = batch.pop("target")
            parts["true"].append(true.float().cpu().numpy())
            if head.n_classes:
                number = classes_of(true, head.limits, head.n_classes).float()
                parts["true_class"].append(
                    number.masked_fill(true.isnan(), torch.nan).cpu().numpy()
                )
        pooled = model.represent(batch)
        parts["predicted"].append(head.read(pooled).float().cpu().numpy())
        if head.n_classes:
            parts["probability"].append(head.probability(pooled).float().cpu().numpy())
    found = {name: np.concatenate(values) for name, values in parts.items() if values}
    classes: dict[str, Any] = {}
    if head.n_classes:
        middle = head.centres(head.limits.float()).cpu().numpy()
        classes = {"class": np.arange(head.n_classes), "middle": (("target", "class"), middle)}
    return xr.Dataset(
        {name: (dims[name], values) for name, values in found.items()},
        {
            **classes,
            "target": list(names),
            "recording": ("window", np.asarray(win.recording_index)),
            "start": ("window", np.asarray(win.start)),
        },
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
