"""What is scored: features by layer, one row a presentation, from a model's name or from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from neurokit.alignment.benchmarks.plain import PLAIN
from neurokit.alignment.benchmarks.words import of_words, words_of
from neurokit.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard
    from neurokit.datasets.assemblies import Assembly

__all__ = ["Layers", "align", "represent", "select", "texts_of"]

Layers = dict[Any, NDArray]
Wanted = str | int | Sequence[str | int]


def represent(
    model: str,
    card: BenchmarkCard,
    assembly: Assembly,
    layers: Wanted = "all",
    *,
    untrained: bool = False,
    seed: int = 0,
    device: str = "auto",
) -> Layers:
    """Ask a model, by name, what it makes of the stimuli.

    Parameters
    ----------
    model : str
        ``"one-hot"``, ``"letters"``, ``"length"``, or any name that
        :func:`neurokit.alignment.features.language`, or for pictures
        :func:`neurokit.alignment.features.vision`, knows.
    card : BenchmarkCard
        Says how: pooling and context.
    assembly : Assembly
        The stimuli.
    layers : "all", name or sequence of names
        Which layers.
    untrained : bool
        Of the model's randomly initialised twin.
    seed : int
        Of the initialisation.
    device : str
        Where the model runs.

    Returns
    -------
    dict of layer to ndarray, shape (stimuli, features)
        By depth; rows in the order of ``assembly.stimuli``, or of the words of stories.

    Raises
    ------
    UnknownNameError
        No such model or layer.
    DataError
        Stimuli of a kind that the model does not take.
    """
    options: dict[str, Any] = {"untrained": untrained, "seed": seed, "device": device}
    words = words_of(card, assembly)
    if words is not None:
        alone = model in PLAIN or card.features.kind == "surprisal"
        found = of_words(model, card, words, "all" if alone else _numbers(layers), options)
        return select(found, layers) if alone else found
    if model in PLAIN:
        return select({model: PLAIN[model](texts_of(assembly))}, layers)
    if card.stimuli == "image":
        return _of_images(model, assembly, layers, options)
    return _of_texts(model, card, assembly, _numbers(layers), options)


def _of_images(model: str, assembly: Assembly, layers: Wanted, options: dict[str, Any]) -> Layers:
    from neurokit.alignment.features import vision

    everything = isinstance(layers, str) and layers == "all"
    names = "all" if everything else _names(layers)
    found = vision(assembly.images(), model, names, **options)
    return {layer: np.asarray(values) for layer, values in found.items()}


def _of_texts(
    model: str, card: BenchmarkCard, assembly: Assembly, layers: Any, options: dict[str, Any]
) -> Layers:
    from neurokit.alignment.features import language

    wanted = card.features
    found = language(
        texts_of(assembly),
        model,
        layers,
        wanted.pooling,
        wanted.context,
        passages=assembly.stimuli[wanted.passage] if wanted.passage else None,
        **options,
    )
    return {layer: np.asarray(values) for layer, values in found.items()}


def _numbers(layers: Wanted) -> Any:
    """Return layers as language models number them, whichever way they were written."""
    if isinstance(layers, str) and layers == "all":
        return layers
    names = _names(layers)
    wrong = [name for name in names if not str(name).isdecimal()]
    if wrong:
        raise DataError(
            f"Layers of language models are numbers, 0 for the embedding; got {wrong[0]!r}."
        )
    return [int(name) for name in names]


def _names(layers: Wanted) -> list[str]:
    return [str(name) for name in ([layers] if isinstance(layers, str | int) else layers)]


def select(layers: Mapping[Any, NDArray], wanted: Wanted) -> Layers:
    """Keep some layers.

    Parameters
    ----------
    layers : mapping
        Features by layer.
    wanted : "all", name or sequence of names
        Which; a layer also answers to its name as text.

    Returns
    -------
    dict
        Those, in the given order.

    Raises
    ------
    UnknownNameError
        No such layer.

    Examples
    --------
    >>> list(select({0: np.zeros(1), 6: np.zeros(1)}, "6"))
    [6]
    """
    if isinstance(wanted, str) and wanted == "all":
        return dict(layers)
    names = [wanted] if isinstance(wanted, str | int) else list(wanted)
    known = {str(layer): layer for layer in layers}
    for name in names:
        if str(name) not in known:
            raise UnknownNameError("layer", str(name), known)
    return {known[str(name)]: layers[known[str(name)]] for name in names}


def align(features: Any, ids: Sequence[str], presented: Sequence[str]) -> Layers:
    """Give features the rows of the presentations.

    Parameters
    ----------
    features : array-like, DataArray or mapping of layer to those
        One row a stimulus, in the order of ``ids``; with a coordinate ``stimulus_id`` in any
        order; or one row a presentation, where these are more.
    ids : sequence of str
        The distinct stimuli.
    presented : sequence of str
        The stimulus of each presentation.

    Returns
    -------
    dict of layer to ndarray, shape (presentations, features)
        float32 or float64, finite.

    Raises
    ------
    DataError
        Rows that are neither, missing stimuli, or values that are missing or no numbers.

    Examples
    --------
    >>> align([[1.0], [2.0]], ["a", "b"], ["b", "a", "b"])["features"].ravel().tolist()
    [2.0, 1.0, 2.0]
    """
    given = features if isinstance(features, Mapping) else {_name(features): features}
    if not given:
        raise DataError("Expected features of one layer or more; got none.")
    return {layer: _rows(layer, array, ids, presented) for layer, array in given.items()}


def texts_of(assembly: Assembly) -> list[str]:
    """Return the text of each distinct stimulus.

    Parameters
    ----------
    assembly : Assembly
        The stimuli.

    Returns
    -------
    list of str
        ``text``, or where there is none ``category``.

    Raises
    ------
    DataError
        Stimuli that are pictures without a name.
    """
    for column in ("text", "category"):
        if column in assembly.stimuli:
            return [str(text) for text in assembly.stimuli[column]]
    raise DataError(
        f"The stimuli of {assembly.name} have no text, only {', '.join(assembly.stimuli.columns)}; "
        "give a vision model, or features of your own."
    )


def _name(features: Any) -> Any:
    attrs = getattr(features, "attrs", {})
    return attrs.get("layer", "features")


def _rows(layer: Any, array: Any, ids: Sequence[str], presented: Sequence[str]) -> NDArray:
    values = np.asarray(array)
    if values.dtype.kind not in "biuf":
        raise DataError(f"Expected numbers as features of layer {layer!r}; got {values.dtype}.")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise DataError(
            f"Expected features of layer {layer!r} of shape (stimuli, features); got "
            f"{values.shape}."
        )
    rows = _order(layer, array, len(values), ids, presented)
    if not np.isfinite(values).all():
        bad = ~np.isfinite(values)
        raise DataError(
            f"{int(bad.sum())} of {values.size} features of layer {layer!r} are missing or "
            f"infinite (first: row {np.argwhere(bad)[0][0]}). Compute them in float32."
        )
    return values[rows] if values.dtype.kind == "f" else values[rows].astype(np.float64)


def _order(
    layer: Any, array: Any, n: int, ids: Sequence[str], presented: Sequence[str]
) -> NDArray[np.intp]:
    """Say which row of the features belongs to each presentation."""
    if isinstance(array, xr.DataArray) and "stimulus_id" in array.coords:
        ids = array["stimulus_id"].values.astype(str).tolist()
        if len(set(ids)) < len(ids) and ids == list(map(str, presented)):
            return np.arange(n)
    elif n == len(presented) != len(ids):
        return np.arange(n)
    elif n != len(ids):
        raise DataError(
            f"Expected features of layer {layer!r} with one row for each of {len(ids)} stimuli "
            f"(in the order of bench.stimuli) or {len(presented)} presentations; got {n} rows."
        )
    found = pd.Index(ids).get_indexer(pd.Index(list(presented)))
    missing = sorted({str(p) for p, k in zip(presented, found, strict=True) if k < 0})
    if missing:
        raise DataError(
            f"Features of layer {layer!r} lack {len(missing)} stimuli that were presented: "
            f"{', '.join(missing[:5])}."
        )
    return np.asarray(found, dtype=np.intp)
