"""What the modules of a network give out while it sees images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from neurokit.alignment.features.vision_images import Image
from neurokit.errors import DataError, UnknownNameError
from neurokit.progress import progress_bar

__all__ = ["Reduction", "activations", "output_shapes", "stages"]

Prepare = Callable[[Sequence[Image]], torch.Tensor]
# What passes its input on while a network is not being trained is no layer of its own.
_SILENT = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
_LISTS = (nn.Sequential, nn.ModuleList)


@dataclass(frozen=True)
class Reduction:
    """How an output becomes one row of features per image.

    Parameters
    ----------
    pool : {"mean"} or None
        Average over places (of maps) or over tokens (of sequences), or keep all of them.
    projection : int, optional
        Project wider rows to this many features with a sparse random matrix (Li, Hastie &
        Church 2006, KDD, eq. 2, density 1 / sqrt(width)), which nearly keeps distances
        (Johnson & Lindenstrauss 1984).
    seed : int
        Of that matrix.
    """

    pool: str | None = None
    projection: int | None = None
    seed: int = 0

    def width(self, shape: Sequence[int]) -> int:
        """Return how many features an output of this shape (without the batch) becomes."""
        pooled = self.pool and len(shape) > 1
        full = shape[_channels(shape)] if pooled else int(np.prod(shape))
        return min(full, self.projection or full)

    def rows(self, output: torch.Tensor, matrices: dict[int, Any]) -> torch.Tensor:
        """Reduce an output to features.

        Parameters
        ----------
        output : Tensor, shape (images, ...)
            What a module gave out; never changed, and never referred to afterwards.
        matrices : dict
            Projections by width, filled as they are needed.

        Returns
        -------
        Tensor, shape (images, features)
            float32, in main memory.
        """
        output = output.detach().float()
        if self.pool and output.ndim > 2:
            keep = 1 + _channels(output.shape[1:])
            output = output.mean([axis for axis in range(1, output.ndim) if axis != keep])
        rows = output.flatten(1)
        if self.projection and rows.shape[1] > self.projection:
            width = rows.shape[1]
            if width not in matrices:
                matrices[width] = _projection(width, self.projection, self.seed)
            return torch.from_numpy(matrices[width] @ rows.cpu().numpy().T).T
        # Later modules may work in place, so a view would change.
        return torch.empty(rows.shape, dtype=torch.float32).copy_(rows)


def stages(network: nn.Module) -> list[str]:
    """List the modules that a reader would call the layers of a network.

    Lists of blocks are entered, blocks are not, and neither is what holds no list.

    Parameters
    ----------
    network : torch.nn.Module
        A network.

    Returns
    -------
    list of str
        Names of modules, as in ``network.named_modules()``.

    Examples
    --------
    >>> stages(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 1))))
    ['0', '1.0', '1.1']
    """
    return list(_walk(network, "", in_list=isinstance(network, _LISTS)))


def _walk(module: nn.Module, prefix: str, *, in_list: bool) -> Iterator[str]:
    """Yield the layers inside a module."""
    for key, child in module.named_children():
        name = prefix + key
        is_list = isinstance(child, _LISTS)
        if is_list or (not in_list and _holds_list(child)):
            yield from _walk(child, f"{name}.", in_list=is_list)
        elif not isinstance(child, _SILENT):
            yield name


def _holds_list(module: nn.Module) -> bool:
    """Tell whether there are blocks in a list somewhere inside."""
    return any(isinstance(inner, _LISTS) and len(inner) > 1 for inner in module.modules())


def output_shapes(
    network: nn.Module, prepare: Prepare, image: Image, names: Sequence[str], *, strict: bool
) -> dict[str, tuple[int, ...]]:
    """Show a network one image, and note what its modules give out.

    Parameters
    ----------
    network : torch.nn.Module
        A network.
    prepare : callable
        Turns images into a batch.
    image : ndarray, shape (rows, columns, 3)
        Any image.
    names : sequence of str
        Modules.
    strict : bool
        Whether a module without an output per image is an error; else it is left out.

    Returns
    -------
    dict of str to tuple of int
        Shapes without the batch, in the order in which modules finish: by depth.

    Raises
    ------
    UnknownNameError
        A name that no module has.
    DataError
        A size that the network cannot see, or a module that is not used or gives no output per
        image.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    >>> batch = lambda images: torch.zeros(len(images), 3, 8, 8)
    >>> output_shapes(network, batch, np.zeros((8, 8, 3), np.uint8), ["1"], strict=True)
    {'1': (4, 6, 6)}
    """
    found: dict[str, Any] = {}
    batch = _to_device(prepare([image, image]), network)
    with _listening(network, names, found.__setitem__), torch.inference_mode():
        try:
            network(batch)
        except RuntimeError as error:
            rows, columns = batch.shape[-2:]
            raise DataError(
                f"The network cannot be shown {rows} by {columns} pixels: {error}"
            ) from error
    tensors = {name: _tensor(output) for name, output in found.items()}
    shapes = {
        name: tuple(tensor.shape[1:])
        for name, tensor in tensors.items()
        if tensor is not None and tensor.ndim > 1 and tensor.shape[0] == 2
    }
    for name in names if strict else ():
        if name not in found:
            raise DataError(f"Layer {name!r} is not used when the network sees an image.")
        if name not in shapes:
            raise DataError(f"Layer {name!r} gives {_shown(found[name])}, not a row per image.")
    return shapes


def activations(
    network: nn.Module,
    prepare: Prepare,
    images: Sequence[Image],
    shapes: Mapping[str, Sequence[int]],
    reduction: Reduction,
    *,
    batch_size: int = 32,
    progress: bool | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Show a network all images, and keep what its modules give out.

    Parameters
    ----------
    network : torch.nn.Module
        A network in evaluation mode, on the device it shall run on.
    prepare : callable
        Turns images into a batch.
    images : sequence of ndarray, each (rows, columns, 3)
        The images.
    shapes : mapping of str to shape
        Modules, and their outputs as :func:`output_shapes` finds them.
    reduction : Reduction
        From outputs to features.
    batch_size : int
        Images at a time.
    progress : bool, optional
        Show a progress bar over batches.

    Returns
    -------
    dict of str to ndarray, each (images, features)
        float32. A module that is used more than once gives its last output.

    Raises
    ------
    DataError
        More features than this machine has memory for.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    >>> batch = lambda images: torch.zeros(len(images), 3, 2, 2)
    >>> images = [np.zeros((2, 2, 3), np.uint8)] * 3
    >>> activations(network, batch, images, {"1": (2,)}, Reduction())["1"].shape
    (3, 2)
    """
    widths = {name: reduction.width(shape) for name, shape in shapes.items()}
    _check_memory(len(images), widths)
    arrays = {name: np.empty((len(images), width), np.float32) for name, width in widths.items()}
    current: dict[str, torch.Tensor] = {}
    matrices: dict[int, Any] = {}

    def listen(name: str, output: Any) -> None:
        tensor = _tensor(output)
        assert tensor is not None  # its shape was seen
        current[name] = reduction.rows(tensor, matrices)

    starts = range(0, len(images), batch_size)
    with _listening(network, list(shapes), listen), torch.inference_mode():
        for start in progress_bar(starts, enabled=progress, desc="vision", unit="batch"):
            batch = prepare(images[start : start + batch_size])
            network(_to_device(batch, network))
            for name, rows in current.items():
                arrays[name][start : start + len(batch)] = rows.numpy()
    return arrays


@contextmanager
def _listening(
    network: nn.Module, names: Sequence[str], heard: Callable[[str, Any], None]
) -> Iterator[None]:
    """Call back with the output of each named module."""
    modules = dict(network.named_modules())
    for name in names:
        if name not in modules or not name:
            raise UnknownNameError("layer", name, [*stages(network), *filter(None, modules)])

    def listener(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda *seen: heard(name, seen[-1])

    hooks = [modules[name].register_forward_hook(listener(name)) for name in names]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _tensor(output: Any) -> torch.Tensor | None:
    """Find the representation in what a module gave out: itself, or the first of several."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, tuple | list) and output and isinstance(output[0], torch.Tensor):
        return output[0]
    return None


def _channels(shape: Sequence[int]) -> int:
    """Return which axis of an output (without the batch) holds its channels.

    Sequences have them last, maps first; maps whose first two axes alone are equal are those
    of networks that put channels last, as shifted-window transformers do.
    """
    last = len(shape) == 2 or (len(shape) == 3 and shape[0] == shape[1] != shape[2])
    return len(shape) - 1 if last else 0


def _projection(width: int, n_features: int, seed: int) -> Any:
    """Return a sparse random matrix (n_features, width), float32."""
    from sklearn.random_projection import SparseRandomProjection

    drawn = SparseRandomProjection(n_features, random_state=seed).fit(np.zeros((1, width)))
    return drawn.components_.astype(np.float32)


def _to_device(batch: torch.Tensor, network: nn.Module) -> torch.Tensor:
    """Bring a batch to where the network's weights are."""
    weights = next(network.parameters(), None)
    return batch if weights is None else batch.to(weights.device)


def _check_memory(n_images: int, widths: Mapping[str, int]) -> None:
    """Refuse to begin what cannot end."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return
    need = 4 * n_images * sum(widths.values())
    if need > total:
        widest = max(widths, key=lambda name: widths[name])
        raise DataError(
            f"{len(widths)} layers of {n_images} images take {need / 1e9:.0f} GB, and this machine "
            f"has {total / 1e9:.0f} GB (widest: {widest!r} with {widths[widest]} features). "
            "Choose layers, or give pool='mean' or projection=."
        )


def _shown(output: Any) -> str:
    """Describe an output."""
    tensor = _tensor(output)
    return type(output).__name__ if tensor is None else f"an array of shape {tuple(tensor.shape)}"
