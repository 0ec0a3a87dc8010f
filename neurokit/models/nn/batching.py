"""Windows in batches, brought to where a model is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from neurokit import arguments
from neurokit.devices import lent, moved
from neurokit.progress import progress_bar

__all__ = ["evaluation_batches"]


def evaluation_batches(
    model: nn.Module,
    win: Any,
    *,
    batch_size: int,
    device: str | torch.device | None = None,
    progress: bool | None = False,
    desc: str | None = None,
) -> Iterator[tuple[NDArray[np.int64], dict[str, Tensor]]]:
    """Yield windows in their order, batch by batch, on the device to which a model is lent.

    Loop over it directly: the model is in evaluation mode while the loop runs, and is given back
    as it was when the loop ends, be it early or by an error. Gradients are the caller's business.

    Parameters
    ----------
    model : Module
        What the batches are for; see :func:`neurokit.devices.lent`.
    win : Windows
        With a length, and ``batch(rows)``.
    batch_size : int
        Windows at a time.
    device : str or torch.device, optional
        Where to; by default where the model is.
    progress : bool, optional
        Show a progress bar; None does so on terminals alone.
    desc : str, optional
        What the bar says.

    Yields
    ------
    rows : ndarray of int64, shape (window,)
        Which windows.
    batch : dict of Tensor
        Their tensors, on the device.

    Raises
    ------
    DataError
        A `batch_size` that is no whole number above 0, or a device that is not there.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_array(np.ones((6, 1)), 1, stream="bold")
    >>> win = nk.windows.sliding(rec, stream="bold", length=2)
    >>> model = nn.Dropout()
    >>> for rows, batch in evaluation_batches(model, win, batch_size=2):
    ...     print(rows, tuple(batch["x"].shape), model.training)
    [0 1] (2, 2, 1) False
    [2] (1, 2, 1) False
    >>> model.training
    True
    """
    size, n = arguments.whole("batch_size", batch_size, least=1), len(win)
    with lent(model, device) as place:
        for first in progress_bar(range(0, n, size), enabled=progress, desc=desc, unit="batch"):
            rows = np.arange(first, min(first + size, n))
            yield rows, moved(win.batch(rows), place)
