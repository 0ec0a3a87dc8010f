"""Warnings that point at the line of the user's code that led to them."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

__all__ = ["warn"]

_PACKAGE = f"{Path(__file__).parent}{os.sep}"


def warn(message: str) -> None:
    """Warn of `message`, at the line that called the package.

    Parameters
    ----------
    message : str
        What is odd, where, and what to do. However deep inside the package it is found, the
        warning names the line outside that began the call, which is the one to mend.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("Recording 2 has a gap of 3 s.")
    >>> str(caught[0].message), caught[0].category
    ('Recording 2 has a gap of 3 s.', <class 'UserWarning'>)
    """
    frame, level, outermost = sys._getframe(), 1, 1
    while frame.f_back is not None:
        if frame.f_code.co_filename.startswith(_PACKAGE):
            outermost = level
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=outermost + 1)
