"""Windows read by a trained EEGFormer: codes, patches, and where the patches lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neurokit.errors import DataError
from neurokit.models.eegformer.network import EEGFormer
from neurokit.models.nn import evaluation_batches
from neurokit.models.nn.missing import refuse_missing

__all__ = ["read_windows", "real_patches", "window_coords"]


def real_patches(model: EEGFormer) -> NDArray[np.float64]:
    """Return where the patches lie that hold more than padding.

    Parameters
    ----------
    model : EEGFormer
        The model.

    Returns
    -------
    ndarray of shape (patch, 2)
        Bounds in seconds from the window's start, or in Hz.

    Examples
    --------
    >>> from neurokit.models.eegformer import EEGFormerConfig
    >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
    >>> real_patches(model)[:2]
    array([[0.1, 6.5],
           [3.3, 9.7]])
    """
    bounds = model.config.patch_bounds
    return np.asarray(bounds[bounds[:, 1] > bounds[:, 0]])


def read_windows(
    model: EEGFormer, win: Any, batch_size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield codes and patches of windows, without patches that are padding alone.

    Parameters
    ----------
    model : EEGFormer
        The model, on whatever device it is; used in evaluation mode and left in its own.
    win : Windows
        What to read.
    batch_size : int
        Windows at a time.

    Yields
    ------
    codes : ndarray of int64, shape (window, channel, patch)
        Words.
    patches : ndarray of float32, shape (window, channel, patch, value)
        Standardised amplitudes that the words stand for.

    Raises
    ------
    DataError
        If there are no windows, they do not fit the model, or one has missing samples.

    Examples
    --------
    >>> import neurokit as nk
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(6400, 2))
    >>> rec = nk.Recording.from_array(x, 128, stream="eeg", units="V")
    >>> model = EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
    >>> win = nk.windows.sliding(rec, stream="eeg", length=5)
    >>> codes, patches = next(read_windows(model, win, 4))
    >>> codes.shape, patches.shape
    ((4, 2, 20), (4, 2, 20, 32))
    """
    if not len(win):
        raise DataError("There are no windows to read.")
    model.check(win)
    n = len(real_patches(model))
    for rows, batch in evaluation_batches(
        model, win, batch_size=batch_size, progress=None, desc="codes"
    ):
        refuse_missing(batch["x"], rows, win.names)
        with torch.no_grad():
            found = model(batch)
        yield found.codes[:, :, :n].cpu().numpy(), found.target[:, :, :n].float().cpu().numpy()


def window_coords(model: EEGFormer, win: Any) -> dict[str, Any]:
    """Return coordinates of an array of dims (window, channel, patch).

    Parameters
    ----------
    model : EEGFormer
        Whose patches they are.
    win : Windows
        What was read.

    Returns
    -------
    dict
        ``recording`` and ``start`` (s) of windows, names of channels, and bounds of patches:
        ``low`` and ``high`` in Hz, or ``begin`` and ``end`` in seconds from the start.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_array(np.ones((640, 2)), 128, stream="eeg", units="V")
    >>> model = EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
    >>> list(window_coords(model, nk.windows.sliding(rec, stream="eeg", length=5)))
    ['recording', 'start', 'channel', 'low', 'high']
    """
    time = model.config.patch_domain == "time"
    names = ("begin", "end") if time else ("low", "high")
    unit = {"units": "s" if time else "Hz"}
    bounds = real_patches(model)
    return {
        "recording": ("window", win.recording_index),
        "start": ("window", win.start, {"units": "s"}),
        "channel": list(win.names),
        **{name: ("patch", bounds[:, i], unit) for i, name in enumerate(names)},
    }
