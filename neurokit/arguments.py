"""Checks of plain arguments, each with one clear sentence when they are not what they must be."""

from __future__ import annotations

import math
import numbers
from collections.abc import Hashable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from neurokit.errors import DataError

__all__ = [
    "instance",
    "known",
    "like",
    "name_list",
    "number",
    "number_list",
    "path_of",
    "positive",
    "text",
    "whole",
]


def number(what: str, value: Any, *, infinite: bool = False) -> float:
    """Return an argument as a float.

    Parameters
    ----------
    what : str
        How the message calls it, with its unit.
    value : object
        As the caller gave it.
    infinite : bool
        Whether infinity is allowed.

    Returns
    -------
    float
        The number.

    Raises
    ------
    DataError
        If it is no real number, or not finite.

    Examples
    --------
    >>> number("length (s)", 2)
    2.0
    >>> number("length (s)", "2")
    Traceback (most recent call last):
    neurokit.errors.DataError: length (s) is '2' (str), expected a finite number.
    """
    out = _as_float(value)
    if math.isnan(out) or (math.isinf(out) and not infinite):
        raise DataError(f"{what} is {_shown(value)}, expected a finite number.")
    return out


def positive(what: str, value: Any) -> float:
    """Return an argument as a float above zero.

    Parameters
    ----------
    what : str
        How the message calls it, with its unit.
    value : object
        As the caller gave it.

    Returns
    -------
    float
        The number.

    Raises
    ------
    DataError
        If it is no finite number above zero.

    Examples
    --------
    >>> positive("bin_size (s)", 0.1)
    0.1
    """
    out = number(what, value)
    if out <= 0:
        raise DataError(f"{what} is {_shown(value)}, expected a number above 0.")
    return out


def whole(what: str, value: Any, least: int) -> int:
    """Return an argument as an integer.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.
    least : int
        The smallest that makes sense.

    Returns
    -------
    int
        The number.

    Raises
    ------
    DataError
        If it is no whole number, or smaller than ``least``.

    Examples
    --------
    >>> whole("n_splits", 5, least=2)
    5
    >>> whole("n_splits", "5", least=2)
    Traceback (most recent call last):
    neurokit.errors.DataError: n_splits is '5' (str), expected a whole number, 2 or more.
    """
    out = _as_float(value)
    if not least <= out < 2**31 or out != int(out):
        raise DataError(f"{what} is {_shown(value)}, expected a whole number, {least} or more.")
    return int(out)


def text(what: str, value: Any) -> str:
    """Return an argument that must be text.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.

    Returns
    -------
    str
        The text.

    Raises
    ------
    DataError
        If it is anything else.

    Examples
    --------
    >>> text("stream", "eeg")
    'eeg'
    """
    return str(instance(what, value, str, "text"))


def name_list(what: str, value: Any) -> list[str]:
    """Return an argument that must be a list of names, a single text not among them.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    DataError
        If it is no list, or one text, whose letters would pass as names.

    Examples
    --------
    >>> name_list("bads", ("C3", "C4"))
    ['C3', 'C4']
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise DataError(f"{what} is {_shown(value)}, expected a list of names, such as ['C3'].")
    return [str(name) for name in value]


def number_list(what: str, value: Any) -> tuple[float, ...]:
    """Return an argument that must be a list of numbers.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.

    Returns
    -------
    tuple of float
        The numbers.

    Raises
    ------
    DataError
        If it is no list, or of other things.

    Examples
    --------
    >>> number_list("target_mean", [0, 2])
    (0.0, 2.0)
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise DataError(f"{what} is {_shown(value)}, expected a list of numbers.")
    return tuple(number(what, one) for one in value)


def instance(what: str, value: Any, kind: type[Any], expected: str) -> Any:
    """Return an argument that must be of some type.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.
    kind : type
        What is allowed.
    expected : str
        How the message calls that.

    Returns
    -------
    object
        The value.

    Raises
    ------
    DataError
        If it is of another type.

    Examples
    --------
    >>> instance("meta", [1], dict, "a dict")
    Traceback (most recent call last):
    neurokit.errors.DataError: meta is [1] (list), expected a dict.
    """
    if not isinstance(value, kind):
        raise DataError(f"{what} is {_shown(value)}, expected {expected}.")
    return value


def path_of(what: str, value: Any) -> Path:
    """Return an argument that must be a path.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    DataError
        If it is neither text nor a path, or holds what no path may hold.

    Examples
    --------
    >>> path_of("path", "session.zarr").suffix
    '.zarr'
    """
    if not isinstance(value, str | PathLike):
        raise DataError(f"{what} is {_shown(value)}, expected a path.")
    path = Path(value)
    if "\0" in str(path):
        raise DataError(f"{what} is {str(path)!r}, which no path can be.")
    return path


def known(what: str, value: Any, collection: Iterable[str]) -> str:
    """Return an argument that must be one of some words.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.
    collection : iterable of str
        The words.

    Returns
    -------
    str
        The word.

    Raises
    ------
    DataError
        If it is no text or another one.

    Examples
    --------
    >>> known("method", "iir", ("fir", "iir"))
    'iir'
    """
    words = list(collection)
    if not isinstance(value, Hashable) or value not in words:
        raise DataError(f"{what} is {_shown(value)}, expected one of {words}.")
    return str(value)


def like(what: str, value: Any, attribute: str, expected: str) -> Any:
    """Return an argument of another package's type, known by an attribute of it.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : object
        As the caller gave it.
    attribute : str
        What such objects have; the package need not be imported to ask.
    expected : str
        How the message calls them.

    Returns
    -------
    object
        The value.

    Raises
    ------
    DataError
        If it has no such attribute.

    Examples
    --------
    >>> like("raw", 5, "ch_names", "an mne Raw")
    Traceback (most recent call last):
    neurokit.errors.DataError: raw is 5 (int), expected an mne Raw.
    """
    if not hasattr(value, attribute):
        raise DataError(f"{what} is {_shown(value)}, expected {expected}.")
    return value


def _as_float(value: Any) -> float:
    """Return a real number as a float, NaN for all else."""
    real = isinstance(value, numbers.Real) or (getattr(value, "ndim", None) == 0)
    try:
        return float(value) if real else math.nan
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if shape:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    shown = repr(value)
    return f"{shown if len(shown) < 60 else shown[:57] + '…'} ({type(value).__name__})"
