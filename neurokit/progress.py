"""Progress bars, with one switch for all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(
    iterable: Iterable[Any] | None = None, *, enabled: bool | None = None, **kwargs: Any
) -> Any:
    """Return a :mod:`tqdm` bar that is silent where nobody would see it.

    Parameters
    ----------
    iterable : iterable, optional
        What to iterate over; without it the bar is updated by hand.
    enabled : bool, optional
        ``True`` and ``False`` decide. By default the environment variable
        ``NEUROKIT_PROGRESS`` (``0`` or ``1``) decides, and without it bars show
        only when standard error is a terminal.
    **kwargs
        Passed to :class:`tqdm.tqdm` (``total``, ``desc``, ``unit`` …).

    Returns
    -------
    tqdm.tqdm
        The bar, which is also an iterator and a context manager.

    Examples
    --------
    >>> sum(progress_bar([1, 2, 3], enabled=False))
    6
    """
    from tqdm.auto import tqdm

    if enabled is None:
        switch = os.environ.get("NEUROKIT_PROGRESS", "")
        enabled = switch not in {"0", "false", "no"} if switch else sys.stderr.isatty()
    return tqdm(iterable, disable=not enabled, leave=False, **kwargs)
