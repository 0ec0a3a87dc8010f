"""Features of images and texts together: from two encoders side by side, or from one of both."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.alignment.features.cache import digest, recall, store
from neurokit.alignment.features.language_passes import torch_device
from neurokit.alignment.features.language_sources import find_source, load_model, load_tokenizer
from neurokit.alignment.features.vision_images import Image, read_images
from neurokit.errors import DataError, UnknownNameError
from neurokit.extras import require
from neurokit.progress import progress_bar

__all__ = ["late_fusion", "multimodal"]

Arrays = dict[str, NDArray]
_VERSION = 1
_LATE = ("image", "text", "late")
# These read boxes that an object detector cut out, not images.
_DETECTED = ("visual_bert", "lxmert")


@dataclass(frozen=True)
class _Pairs:
    """Images and texts that were seen together, and what reads them."""

    images: list[Image]
    texts: list[str]
    model: Any
    processor: Any
    tokenizer: Any
    batch_size: int
    progress: bool | None


def multimodal(
    images: Any,
    texts: Iterable[str],
    model: str | Path,
    layers: str | int | Sequence[int | str] = "all",
    *,
    fusion: str = "late",
    untrained: bool = False,
    seed: int = 0,
    batch_size: int = 32,
    device: str = "auto",
    cache: bool = True,
    progress: bool | None = None,
) -> dict[str | int, xr.DataArray] | xr.DataArray:
    """Compute what a model of images and texts makes of pairs of them.

    Parameters
    ----------
    images : array-like, DataArray, or iterable
        One image per pair, as in :func:`~neurokit.alignment.features.vision`.
    texts : iterable of str
        One text per pair.
    model : str or path
        A model of transformers, by its folder or its name on the hub: with ``fusion="late"``
        one with an encoder for each (CLIP, SigLIP, ALIGN and their kin), with
        ``fusion="joint"`` one whose layers see both at once (ViLT, FLAVA).
    layers : "all", str, int, or a sequence of these
        With ``fusion="late"``: ``"image"`` and ``"text"``, the embeddings in the space that
        both encoders share, and ``"late"``, see :func:`late_fusion`. With
        ``fusion="joint"``: 0 is the embedding of tokens and patches, k the output of block k,
        each averaged over all tokens and patches.
    fusion : {"late", "joint"}
        Where images and texts meet: after their encoders, or inside one.
    untrained : bool
        The same model with random weights.
    seed : int
        Of these weights.
    batch_size : int
        Pairs at a time; no result depends on it.
    device : str
        A device of torch; ``"auto"`` takes CUDA, MPS or the CPU.
    cache : bool
        Keep features on disk, by the hash of weights, images and texts.
    progress : bool, optional
        Show a progress bar.

    Returns
    -------
    dict of DataArray, dims (presentation, feature), or DataArray
        float32; one array if ``layers`` is one name or number.

    Raises
    ------
    DataError
        Different numbers of images and texts, an empty or too long text, or a model that does
        not work in this way.
    UnknownNameError
        A layer that does not exist.
    ReadError, DownloadError, MissingExtraError
        Images or a model that cannot be read, fetched or is not installed.

    Examples
    --------
    >>> multimodal([], ["a cat"], "openai/clip-vit-base-patch32")
    Traceback (most recent call last):
    neurokit.errors.DataError: There are no images: expected at least one.
    """
    arguments.known("fusion", fusion, ("late", "joint"))
    batch_size = arguments.whole("batch_size", batch_size, 1)
    read, written = read_images(images), _texts(texts)
    if len(read) != len(written):
        raise DataError(
            f"Expected one text per image; got {len(read)} images and {len(written)} texts."
        )
    source = find_source(model, untrained=untrained)
    if source.kind == "vectors":
        raise DataError(f"{source.name} are word vectors, which see no images.")
    key = {
        "kind": "multimodal",
        "version": _VERSION,
        "model": source.fingerprint(untrained),
        "untrained": arguments.whole("seed", seed, 0) if untrained else None,
        "fusion": fusion,
        "images": digest(read),
        "texts": digest(written),
    }
    arrays = recall(key) if cache else None
    if arrays is None:
        module = load_model(source, untrained=untrained, seed=seed, cache=cache)
        _check_kind(module, fusion, source.name)
        module.to(torch_device(device))
        processor = require("transformers", "alignment").AutoImageProcessor.from_pretrained(
            source.path, backend="pil"
        )
        tokenizer = load_tokenizer(source, cache=cache)
        pairs = _Pairs(read, written, module, processor, tokenizer, batch_size, progress)
        arrays = _late(pairs) if fusion == "late" else _joint(pairs)
        if cache:
            store(key, arrays)
    attrs = {
        "model": source.name,
        "fusion": fusion,
        "untrained": int(untrained),
        "weights": key["model"],
    }
    return _chosen(arrays, layers, fusion, attrs | ({"seed": seed} if untrained else {}))


def late_fusion(parts: Mapping[str, ArrayLike | xr.DataArray]) -> xr.DataArray:
    """Put features of separate models side by side, each with mean 0 and s.d. 1.

    Parameters
    ----------
    parts : mapping of str to array-like or DataArray, shape (presentation, feature)
        Features of the same presentations.

    Returns
    -------
    DataArray, dims (presentation, feature)
        float32, with the coordinate ``part`` over features. Constant features become 0.

    Raises
    ------
    DataError
        Fewer than two parts, parts of different presentations, or values that are not finite.

    Examples
    --------
    >>> x = late_fusion({"image": [[1.0], [3.0]], "text": [[2.0, 0.0], [0.0, 0.0]]})
    >>> x.values
    array([[-1.,  1.,  0.], [ 1., -1.,  0.]], dtype=float32)
    """
    if not isinstance(parts, Mapping) or len(parts) < 2:
        raise DataError(
            "Expected two or more parts to put side by side, by name; got "
            f"{list(parts) if isinstance(parts, Mapping) else type(parts).__name__}."
        )
    scaled: list[NDArray] = []
    labels: dict[str, Any] = {}
    for name, part in _same_presentations(parts).items():
        values = np.asarray(part)
        if values.ndim != 2 or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
            raise DataError(
                f"Expected {name!r} of finite numbers (presentation, feature); got "
                f"{values.dtype} of shape {values.shape}."
            )
        spread = values.std(axis=0, dtype=np.float64)
        # Rounding alone makes a constant feature vary.
        varies = spread > 1e-6 * np.abs(values).max(axis=0)
        centred = values - values.mean(axis=0, dtype=np.float64)
        scaled.append(np.divide(centred, spread, out=np.zeros_like(centred), where=varies))
        if isinstance(part, xr.DataArray):
            labels = labels or _labels(part)
    lengths = {name: len(rows) for name, rows in zip(parts, scaled, strict=True)}
    if len(set(lengths.values())) > 1:
        raise DataError(f"Expected parts of the same presentations; got {lengths} of them.")
    names = np.repeat(list(parts), [rows.shape[1] for rows in scaled])
    return xr.DataArray(
        np.concatenate(scaled, axis=1).astype(np.float32),
        dims=("presentation", "feature"),
        coords={**labels, "part": ("feature", names)},
    )


def _same_presentations(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Put presentations first, and refuse labels that say rows are of different ones."""
    found: dict[str, Any] = {}
    labels: dict[str, NDArray] = {}
    for name, part in parts.items():
        found[name] = part
        if not isinstance(part, xr.DataArray):
            continue
        if "presentation" in part.dims:
            found[name] = part = part.transpose("presentation", ...)
        for key in ("presentation", "stimulus_id"):
            if key not in part.coords or part[key].dims != part.dims[:1]:
                continue
            first = labels.setdefault(key, part[key].values)
            if len(first) == len(part) and not np.array_equal(first, part[key].values):
                raise DataError(
                    f"The rows of {name!r} are labelled {key} in another order, or are other "
                    f"ones, than those before it. Try {name}.sel({key}=…), in one order."
                )
    return found


def _labels(part: xr.DataArray) -> dict[str, Any]:
    """Return the coordinates of presentations."""
    first = part.dims[0]
    return {
        "presentation" if name == first else str(name): ("presentation", coord.values)
        for name, coord in part.coords.items()
        if coord.dims == (first,)
    }


def _texts(texts: Iterable[str]) -> list[str]:
    """Check texts."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise DataError(f"Expected a list of texts; got {texts!r}. Try [text].")
    listed = list(texts)
    wrong = [place for place, text in enumerate(listed) if not isinstance(text, str)]
    if wrong:
        raise DataError(f"Text {wrong[0]} is no text but {listed[wrong[0]]!r}.")
    empty = [place for place, text in enumerate(listed) if not text.strip()]
    if empty:
        raise DataError(f"Text {empty[0]} is empty ({len(empty)} are): a pair needs both.")
    return listed


def _check_kind(model: Any, fusion: str, name: str) -> None:
    """Refuse a model that does not fuse in the way asked for."""
    kind = model.config.model_type
    both = {"pixel_values", "input_ids"} <= set(inspect.signature(model.forward).parameters)
    dual = hasattr(model, "get_image_features") and hasattr(model, "get_text_features")
    mixes = both and (not dual or hasattr(model, "multimodal_model"))
    if kind in _DETECTED:
        raise DataError(f"{name} ({kind}) reads boxes of an object detector, not images.")
    if fusion == "late" and not dual:
        raise DataError(
            f"{name} ({kind}) has no encoder for each of image and text. Try fusion='joint', or "
            "late_fusion of vision and language features."
        )
    if fusion == "joint" and not mixes:
        raise DataError(f"{name} ({kind}) has no layer that sees both. Try fusion='late'.")


def _late(pairs: _Pairs) -> Arrays:
    """Encode images and texts apart, and put them side by side."""
    batches: dict[str, list[NDArray]] = {"image": [], "text": []}
    # SigLIP's text encoder reads its last position, whatever stands there.
    padding = "max_length" if "siglip" in pairs.model.config.model_type else "longest"
    starts = range(0, len(pairs.texts), pairs.batch_size)
    for start in progress_bar(starts, enabled=pairs.progress, desc="pairs", unit="batch"):
        chosen = list(range(start, min(start + pairs.batch_size, len(pairs.texts))))
        seen, words = _inputs(pairs, chosen, padding)
        encoders = (pairs.model.get_image_features, seen), (pairs.model.get_text_features, words)
        for (encode, given), name in zip(encoders, batches, strict=True):
            with torch.inference_mode():
                out = encode(**_accepted(encode, given))
            out = out if isinstance(out, torch.Tensor) else out.pooler_output
            batches[name].append(out.float().cpu().numpy())
    arrays = {name: np.concatenate(rows) for name, rows in batches.items()}
    return {**arrays, "late": late_fusion(arrays).values} if len(pairs.texts) > 1 else arrays


def _joint(pairs: _Pairs) -> Arrays:
    """Read pairs together, those of one length at a time, so that nothing is padded."""
    rows: list[NDArray] = [np.empty(0)] * len(pairs.texts)
    batches = list(_of_one_length(pairs))
    for chosen in progress_bar(batches, enabled=pairs.progress, desc="pairs", unit="batch"):
        seen, words = _inputs(pairs, chosen, "longest")
        # Some of these models draw the order of patches at random, which changes no average.
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            given = _accepted(pairs.model.forward, {**seen, **words})
            out = pairs.model(**given, output_hidden_states=True)
        out = getattr(out, "multimodal_output", None) or out
        means = torch.stack([state.float().mean(1) for state in out.hidden_states], dim=1)
        for place, row in zip(chosen, means.cpu().numpy(), strict=True):
            rows[place] = row
    stacked = np.stack(rows)
    return {str(layer): stacked[:, layer] for layer in range(stacked.shape[1])}


def _of_one_length(pairs: _Pairs) -> Iterator[list[int]]:
    """Yield batches of pairs whose texts have as many tokens and whose images one shape."""
    kinds: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    tokens = pairs.tokenizer(pairs.texts)["input_ids"]
    for place, (ids, image) in enumerate(zip(tokens, pairs.images, strict=True)):
        kinds.setdefault((len(ids), image.shape), []).append(place)
    for places in kinds.values():
        for start in range(0, len(places), pairs.batch_size):
            yield places[start : start + pairs.batch_size]


def _inputs(
    pairs: _Pairs, chosen: Sequence[int], padding: str
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Prepare the images and the texts of a batch."""
    config = getattr(pairs.model.config, "text_config", pairs.model.config)
    limit = getattr(config, "max_position_embeddings", None)
    texts = [pairs.texts[place] for place in chosen]
    options = {"max_length": limit} if padding == "max_length" else {}
    words = pairs.tokenizer(texts, padding=padding, return_tensors="pt", **options)
    if limit is not None and words["input_ids"].shape[1] > limit:
        lengths = [len(ids) for ids in pairs.tokenizer(texts)["input_ids"]]
        longest = int(np.argmax(lengths))
        raise DataError(
            f"Text {chosen[longest]} has {lengths[longest]} tokens, and the model reads {limit}. "
            "Shorten it."
        )
    seen = pairs.processor(images=[pairs.images[k] for k in chosen], return_tensors="pt")
    device = next(pairs.model.parameters()).device
    return (
        {name: value.to(device) for name, value in seen.items()},
        {name: value.to(device) for name, value in words.items()},
    )


def _accepted(function: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the inputs that a model's function takes by name."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in given.items() if name in known}


def _chosen(
    arrays: Arrays, layers: Any, fusion: str, attrs: dict[str, Any]
) -> dict[str | int, xr.DataArray] | xr.DataArray:
    """Label the layers that were asked for."""
    labelled = {
        (name if fusion == "late" else int(name)): xr.DataArray(
            array, dims=("presentation", "feature"), attrs={**attrs, "layer": name}
        )
        for name, array in arrays.items()
    }
    if isinstance(layers, str) and layers == "all":
        return labelled
    one = isinstance(layers, str | int | np.integer)
    wanted = [layers] if one else list(layers)
    for name in wanted:
        if name not in labelled:
            raise UnknownNameError("layer", str(name), map(str, labelled))
    return labelled[layers] if one else {n: x for n, x in labelled.items() if n in wanted}
