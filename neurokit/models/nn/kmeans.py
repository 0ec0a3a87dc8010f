"""Nearest centres, and k-means on the device where the vectors are."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["cluster_centres", "nearest", "unit"]

PRODUCTS_AT_ONCE = 2**22  # similarities held at a time: 16 MB, which caches can hold on to


def unit(x: Tensor) -> Tensor:
    """Scale vectors to length one; a zero vector stays zero.

    Parameters
    ----------
    x : Tensor, shape (..., dim)
        Vectors.

    Returns
    -------
    Tensor
        Of the same shape.

    Examples
    --------
    >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    # The usual 1e-12 would turn the gradient of a zero vector into 1e12.
    return F.normalize(x, dim=-1, eps=1e-6)


def nearest(x: Tensor, centres: Tensor, cosine: bool = False) -> Tensor:
    """Find the centre nearest to each vector.

    Parameters
    ----------
    x : Tensor, shape (n, dim)
        Vectors.
    centres : Tensor, shape (k, dim)
        Of length one where ``cosine``.
    cosine : bool
        Whether the largest cosine counts and not the smallest distance. Lengths of ``x`` then
        do not matter.

    Returns
    -------
    Tensor of int64, shape (n,)
        The first of several that are equally near. One matrix product finds them:
        |x - c|² is least where x·c - |c|²/2 is largest.

    Examples
    --------
    >>> centres = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    >>> nearest(torch.tensor([[0.4, 0.6], [0.1, 3.1]]), centres)
    tensor([0, 1])
    """
    offset = None if cosine else -centres.square().sum(dim=1) / 2
    rows = max(PRODUCTS_AT_ONCE // len(centres), 1)
    found = [
        (part @ centres.T if offset is None else torch.addmm(offset, part, centres.T)).argmax(dim=1)
        for part in x.split(rows)
    ]
    return found[0] if len(found) == 1 else torch.cat(found)


def cluster_centres(
    x: Tensor, n_clusters: int, *, cosine: bool = False, n_iter: int = 10, seed: int = 0
) -> Tensor:
    """Find cluster centres by k-means.

    Parameters
    ----------
    x : Tensor, shape (n, dim)
        Vectors; fewer than clusters will do, some centres are then the same.
    n_clusters : int
        How many centres.
    cosine : bool
        Cluster directions (spherical k-means, Dhillon & Modha 2001): centres have length one.
    n_iter : int
        Rounds of Lloyd's algorithm.
    seed : int
        Of the start, greedy k-means++ (Arthur & Vassilvitskii 2007). The global random state
        is left alone, and the draws do not depend on the device.

    Returns
    -------
    Tensor, shape (n_clusters, dim)
        The centres, float32. A centre that nothing is nearest to stays where it was.

    Raises
    ------
    DataError
        No vectors, or something that is no matrix.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 0.0], [0.0, 2.0], [9.0, 0.0], [9.0, 2.0]])
    >>> cluster_centres(x, 2).sort(dim=0).values
    tensor([[0., 1.],
            [9., 1.]])
    """
    arguments.whole("n_clusters", n_clusters, least=1)
    if x.ndim != 2 or not len(x):
        raise DataError(f"Expected vectors (n, dim) to cluster; got shape {tuple(x.shape)}.")
    x = unit(x.float()) if cosine else x.float()
    centres = _start(x, n_clusters, seed)
    for _ in range(n_iter):
        centres = _step(x, centres, cosine)
    return centres


def _step(x: Tensor, centres: Tensor, cosine: bool) -> Tensor:
    """Move each centre to the mean of what is nearest to it."""
    labels = nearest(x, centres, cosine)
    counts = torch.bincount(labels, minlength=len(centres))[:, None]
    sums = torch.zeros_like(centres).index_add_(0, labels, x)
    moved = unit(sums) if cosine else sums / counts.clamp(min=1)
    # Directions that cancel have no mean direction.
    known = moved.any(dim=1, keepdim=True) if cosine else counts > 0
    return torch.where(known, moved, centres)


def _start(x: Tensor, n_clusters: int, seed: int) -> Tensor:
    """Choose vectors far from one another: each time the best of several draws by distance."""
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(n_clusters, 2 + int(math.log(n_clusters)), generator=generator).to(x.device)
    # Distances from the mean's point of view lose fewer digits.
    squares = (x := x - (mean := x.mean(dim=0))).square().sum(dim=1)
    distance = torch.full_like(squares, math.inf)
    chosen: list[Tensor] = []
    for draw in draws:
        total = torch.ones_like(distance) if not chosen else distance
        reach = total.cumsum(0)
        candidates = torch.searchsorted(reach, draw * reach[-1], right=True).clamp(max=len(x) - 1)
        apart = squares + squares[candidates, None] - 2 * x[candidates] @ x.T
        apart = torch.minimum(apart.clamp(min=0), distance)
        best = apart.sum(dim=1).argmin()
        chosen.append(candidates[best])
        distance = apart[best]
    return x[torch.stack(chosen)] + mean
