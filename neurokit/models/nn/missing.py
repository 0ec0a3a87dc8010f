"""Windows with missing samples, which no model may read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurokit.errors import DataError

__all__ = ["refuse_missing"]


def refuse_missing(x: Tensor, rows: NDArray[np.integer], names: Sequence[str] = ()) -> None:
    """Raise if a window has samples that are no number.

    Comparisons with NaN are all false, so that a quantiser would call such a window code 0.

    Parameters
    ----------
    x : Tensor, shape (window, time, channel)
        Samples.
    rows : ndarray of int, shape (window,)
        Which windows of the data they are of.
    names : sequence of str
        Of the channels; without them channels are told by number.

    Raises
    ------
    DataError
        Missing or infinite values; the first window that has some is named.

    Examples
    --------
    >>> x = torch.zeros(2, 3, 1)
    >>> x[1, 2] = torch.nan
    >>> refuse_missing(x, np.array([8, 9]), ["Cz"])
    Traceback (most recent call last):
    neurokit.errors.DataError: Window 9 has missing or infinite values in channel 'Cz'. Leave...
    """
    missing = ~torch.isfinite(x)
    if not missing.any():
        return
    window, *_, channel = missing.nonzero()[0].tolist()
    whose = repr(names[channel]) if channel < len(names) else channel
    raise DataError(
        f"Window {rows[window]} has missing or infinite values in channel {whose}. Leave such "
        "windows out, or fill the gaps."
    )
