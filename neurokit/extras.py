"""Packages that only some installations have."""

from __future__ import annotations

import importlib
from types import ModuleType

from neurokit.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, extra: str) -> ModuleType:
    """Import a module of an optional package, or say how to install it.

    Parameters
    ----------
    module : str
        Its full name.
    extra : str
        The extra of ``neurokit-brain`` that brings it.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingExtraError
        If it is not installed.

    Examples
    --------
    >>> require("no_such_package", "nwb")
    Traceback (most recent call last):
    ...
    neurokit.errors.MissingExtraError: This needs no_such_package, which is not installed. ...
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise MissingExtraError(
            f"This needs {package}, which is not installed. "
            f"Install it with: pip install 'neurokit-brain[{extra}]'"
        ) from None
