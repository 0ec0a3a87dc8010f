"""Configurations by name, and as JSON and back, field by field, with nothing executed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from neurokit import arguments
from neurokit.errors import NeurokitError, ReadError, UnknownNameError, suggest

__all__ = ["plain", "preset_settings", "restored"]

_PLAIN: dict[Any, Any] = {int: int, float: (int, float), str: str, bool: bool, NoneType: NoneType}


def plain(config: Any) -> dict[str, Any]:
    """Turn a configuration into what JSON can hold.

    Parameters
    ----------
    config : dataclass
        Of numbers, texts, tuples, dicts and further dataclasses.

    Returns
    -------
    dict
        By field name; numbers of numpy become Python's.

    Examples
    --------
    >>> from neurokit.models import FuturePredictorConfig
    >>> plain(FuturePredictorConfig(n_latents=4))["context"]
    7
    """
    return {key: _plain(value) for key, value in dataclasses.asdict(config).items()}


def preset_settings(
    kind: type[Any], presets: Mapping[str, Mapping[str, Any]], name: str, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Look up named settings, and change some.

    Parameters
    ----------
    kind : type
        The dataclass that they are settings of.
    presets : mapping
        By name, and then by field.
    name : str
        Which.
    changes : mapping
        Settings that differ, by field.

    Returns
    -------
    dict
        By field name; fields at their default may be missing.

    Raises
    ------
    UnknownNameError
        An unknown preset or setting.

    Examples
    --------
    >>> from neurokit.models import FuturePredictorConfig
    >>> preset_settings(FuturePredictorConfig, {"tiny": {"n_latents": 2}}, "tiny", {"context": 3})
    {'n_latents': 2, 'context': 3}
    """
    if arguments.text("name", name) not in presets:
        raise UnknownNameError("preset", name, presets)
    fields = [field.name for field in dataclasses.fields(kind)]
    for key in changes:
        if key not in fields:
            raise UnknownNameError("setting", key, fields)
    return {**presets[name], **changes}


def restored(kind: type[Any], settings: Any, where: str) -> Any:
    """Make a configuration from what JSON held.

    Parameters
    ----------
    kind : type
        The dataclass. The types of its fields say what becomes a tuple, or a dataclass again.
    settings : dict
        By field name; fields that have a default may be missing.
    where : str
        Where it was read, for messages.

    Returns
    -------
    dataclass
        Of type `kind`, equal to the one that was written.

    Raises
    ------
    ReadError
        An unknown, missing or unfit setting.

    Examples
    --------
    >>> from neurokit.models import FuturePredictorConfig
    >>> restored(FuturePredictorConfig, {"n_latent": 4}, "config.json")
    Traceback (most recent call last):
    neurokit.errors.ReadError: Unknown setting 'n_latent' in config.json. Did you mean \
'n_latents'? Known: 'n_latents', 'n_hidden', 'dynamics', 'context', 'time_constant', 'seed'.
    """
    if not isinstance(settings, dict):
        raise ReadError(f"{where} is not a model's configuration: expected settings by name.")
    known = [field.name for field in dataclasses.fields(kind)]
    hints = get_type_hints(kind)
    values = {}
    for key, value in settings.items():
        if key not in known:
            raise ReadError(f"Unknown setting {key!r} in {where}.{suggest(key, known)}")
        try:
            values[key] = _converted(hints[key], value, where)
        except TypeError:
            raise ReadError(
                f"Setting {key!r} in {where} is {value!r}, expected {_named(hints[key])}."
            ) from None
    try:
        return kind(**values)
    except (NeurokitError, TypeError, ValueError, ArithmeticError) as error:
        raise ReadError(f"The settings in {where} make no model: {error}") from None


def _plain(value: Any) -> Any:
    """Return numbers of numpy as Python's, in whatever holds them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _converted(hint: Any, value: Any, where: str) -> Any:
    """Return a value as the type of its field has it; TypeError where it cannot be."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _first_fit(args, value, where)
    if origin is Literal:
        fits = value in args
    elif hint in _PLAIN:
        # JSON's true is no number, though Python's is.
        fits = isinstance(value, _PLAIN[hint]) and isinstance(value, bool) == (hint is bool)
    elif dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return restored(hint, value, where)  # type: ignore[arg-type]
    elif origin in (tuple, list):
        return _sequence(origin, args, value, where)
    elif origin is dict and isinstance(value, dict):
        return {key: _converted(args[1], item, where) for key, item in value.items()}
    else:
        fits = origin is not dict and not dataclasses.is_dataclass(hint)
    if not fits:
        raise TypeError
    return value


def _first_fit(hints: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return a value as the first of several types that it fits."""
    for hint in hints:
        try:
            return _converted(hint, value, where)
        except TypeError:
            continue
    raise TypeError


def _sequence(kind: Any, hints: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return a list of JSON as the tuple or list that it was."""
    if not isinstance(value, list):
        raise TypeError
    if kind is list or hints[1:] == (Ellipsis,):
        hints = hints[:1] * len(value)
    if len(hints) != len(value):
        raise TypeError
    return kind(_converted(h, item, where) for h, item in zip(hints, value, strict=True))


def _named(hint: Any) -> str:
    """Return how a message calls a type."""
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
