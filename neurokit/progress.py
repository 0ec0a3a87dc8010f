"""Progress bars, with one switch for all of them."""

from __future__ import annotations

import os
import sys
import warnings
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
        only when standard error is a terminal; of several processes that ``torchrun`` started,
        the first alone shows them.
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
    if enabled is None:
        switch = os.environ.get("NEUROKIT_PROGRESS", "")
        enabled = switch not in {"0", "false", "no"} if switch else sys.stderr.isatty()
        enabled = enabled and os.environ.get("RANK", "0") == "0"
    return _tqdm(enabled)(iterable, disable=not enabled, leave=False, **kwargs)


def _tqdm(enabled: bool) -> Any:
    """Return the bar that suits the place: a notebook's has widgets, if they are installed."""
    if not enabled:
        from tqdm import tqdm

        return tqdm
    with warnings.catch_warnings():
        # Without widgets the bar falls back to text, which needs no advice.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm as auto

    return auto
