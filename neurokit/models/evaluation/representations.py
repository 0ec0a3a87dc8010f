"""What a model makes of each window: vectors, or words of its vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.nn import evaluation_batches
from neurokit.models.nn.missing import refuse_missing

__all__ = ["code_words", "encode", "labelled"]

META = ("subject", "session", "run")
REPRESENTED = {2: ("window", "feature"), 3: ("window", "token", "feature")}
CODED = {2: ("window", "token"), 3: ("window", "channel", "patch")}


def encode(
    model: nn.Module,
    win: Any,
    *,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.DataArray:
    """Represent each window by a model.

    The model is used in evaluation mode and without gradients, and is given back on the
    device and in the mode in which it came.

    Parameters
    ----------
    model : Module
        With ``represent(batch)``; its ``check(win)``, if it has one, decides whether the
        windows fit.
    win : Windows
        What to represent.
    batch_size : int
        Windows at a time; the result does not depend on it.
    device : str or torch.device
        ``"auto"`` takes CUDA where there is one, then Apple's, then the CPU.
    progress : bool, optional
        Show a progress bar; by default on terminals alone.

    Returns
    -------
    DataArray
        Dims (window, feature) or (window, token, feature), as the model gives them. On
        ``window``: ``recording``, ``start`` (s), ``label`` if there is one, and ``subject``,
        ``session`` and ``run`` where each recording's ``meta`` has them.

    Raises
    ------
    DataError
        No windows, windows that do not fit the model or have missing samples, or a model
        without ``represent``.

    Examples
    --------
    >>> class Mean(nn.Module):
    ...     def represent(self, batch):
    ...         return batch["x"].mean(1)
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array(np.ones((100, 2)), 10, stream="bold", meta={"subject": "01"})
    >>> z = encode(Mean(), sliding(rec, stream="bold", length=2), device="cpu")
    >>> z.dims, z.shape, str(z["subject"].values[0])
    (('window', 'feature'), (5, 2), '01')
    """
    arguments.like("model", model, "represent", "a model with represent(batch)")
    values = _passed(model, win, "represent", batch_size, device, progress)
    return labelled(values, win, type(model).__name__)


def code_words(
    model: nn.Module,
    win: Any,
    *,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.DataArray:
    """Read each window as words: the codes that a model's quantiser chooses.

    Parameters
    ----------
    model : Module
        With ``codes(batch)``: models that have a vector quantiser.
    win : Windows
        What to read.
    batch_size, device, progress
        As in :func:`encode`.

    Returns
    -------
    DataArray of int
        Dims (window, channel, patch) or (window, token), as the model gives them, with the
        coordinates that :func:`encode` gives; channels by their names.

    Raises
    ------
    DataError
        No windows, windows that do not fit the model or have missing samples, or a model
        without ``codes``.

    Examples
    --------
    >>> class Sign(nn.Module):
    ...     def codes(self, batch):
    ...         return (batch["x"] > 0).long().transpose(1, 2)
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array([[1.0], [2.0], [-1.0], [1.0]], 1, stream="bold")
    >>> code_words(Sign(), sliding(rec, stream="bold", length=2), device="cpu").values.tolist()
    [[[1, 1]], [[0, 1]]]
    """
    arguments.like("model", model, "codes", "a model with codes(batch), from its quantiser")
    values = _passed(model, win, "codes", batch_size, device, progress)
    return labelled(values, win, type(model).__name__, CODED)


@torch.no_grad()
def _passed(
    model: nn.Module,
    win: Any,
    verb: str,
    batch_size: int,
    device: str | torch.device,
    progress: bool | None,
) -> NDArray[Any]:
    """Pass all windows through one of the model's verbs."""
    arguments.like("win", win, "batch", "windows, as nk.windows.sliding cuts them")
    if not len(win):
        raise DataError("There are no windows to pass through the model.")
    if hasattr(model, "check") and hasattr(win, "sampling_rate"):
        model.check(win)  # type: ignore[operator]
    out: NDArray[Any] | None = None
    function: Callable[[dict[str, Tensor]], Tensor] = getattr(model, verb)
    for rows, batch in evaluation_batches(
        model, win, batch_size=batch_size, device=device, progress=progress, desc=verb
    ):
        # Windows of spikes have no samples of their own, but may have streams beside them.
        for name in getattr(win, "beside", ("x",)):
            refuse_missing(batch[name], rows, getattr(win, "names", ()))
        values = function(batch).detach().cpu()
        values = values.float() if values.is_floating_point() else values
        if out is None:
            out = np.empty((len(win), *values.shape[1:]), dtype=values.numpy().dtype)
        out[rows] = values.numpy()
    assert out is not None  # there is at least one window, and so at least one batch
    return out


def labelled(
    values: NDArray[Any], win: Any, name: str, kinds: Mapping[int, tuple[str, ...]] = REPRESENTED
) -> xr.DataArray:
    """Give an array of windows its dims, and its windows what is known of them.

    Parameters
    ----------
    values : ndarray, shape (window, ...)
        What was made of the windows.
    win : Windows
        The windows.
    name : str
        Who made it, kept as attribute ``model``.
    kinds : mapping of int to tuple of str
        Dims for each number of axes.

    Returns
    -------
    DataArray
        With ``recording``, ``start``, ``label`` and what ``meta`` has, on ``window``.

    Raises
    ------
    DataError
        Another number of axes.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array(np.ones((4, 1)), 1, stream="bold")
    >>> labelled(np.ones((2, 3)), sliding(rec, stream="bold", length=2), "ones")["start"].values
    array([0., 2.])
    """
    dims = kinds.get(values.ndim)
    if dims is None:
        wanted = " or ".join(f"({', '.join(d)})" for d in kinds.values())
        raise DataError(f"{name} gave an array of shape {values.shape}, expected {wanted}.")
    coords = {key: ("window", fact) for key, fact in _facts(win).items()}
    names = getattr(win, "names", ())
    if "channel" in dims and len(names) == values.shape[1]:
        coords["channel"] = ("channel", np.array(names))
    attrs = {"model": name, "classes": list(getattr(win, "classes", ()))}
    return xr.DataArray(values, dims=dims, coords=coords, attrs=attrs)


def _facts(win: Any) -> dict[str, NDArray[Any]]:
    """Gather what the windows say of themselves."""
    facts = {"recording": win.recording_index, "start": win.start}
    if getattr(win, "labels", None) is not None:
        facts["label"] = np.asarray(win.labels)
    for key in META:
        try:
            facts[key] = win.groups(key)
        except UnknownNameError:
            continue
    return facts
