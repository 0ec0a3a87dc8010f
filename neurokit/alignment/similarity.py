"""Similarity of two representations of the same stimuli, beyond a linear map's accuracy.

All measures take features of shape (sample, feature) with the same samples in the rows, and no
matrix of features by features is formed where there are more features than samples.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.inputs import check_inputs
from neurokit.arguments import number, whole
from neurokit.errors import DataError

__all__ = ["cca", "cka", "mutual_knn", "procrustes", "pwcca", "shape_distance", "svcca"]

Array = NDArray[np.float64]
Features = ArrayLike | xr.DataArray

_BLOCK = 2048  # rows of a sample-by-sample matrix that are held at once


def cka(x: Features, y: Features, debiased: bool = True) -> float:
    """Return the centred kernel alignment of two representations, with linear kernels.

    Kornblith et al. (2019, ICML, eq. 5): HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)). The plain
    estimate grows towards 1 with the number of features, whatever they are; the debiased one
    uses the estimator of Song et al. (2012, JMLR 13:1393, eq. 5), is zero on average for
    unrelated features, and may be negative. Invariant to rotation, shift and scale.

    Parameters
    ----------
    x, y : array-like or DataArray, shape (sample, feature)
        Features of the same samples; at least 4 for the debiased estimate.
    debiased : bool
        Whether to remove the bias.

    Returns
    -------
    float
        1 for representations that differ by rotation, shift and scale only; 0 where either is
        constant.

    Raises
    ------
    DataError
        Features that do not fit, or too few samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((2, 50, 500))
    >>> round(cka(x, y, debiased=False), 1), abs(round(cka(x, y), 1))
    (0.9, 0.0)
    """
    x, y = _centred_pair(x, y, least=4 if debiased else 2)
    cross, own, other = (_hsic(a, b, debiased) for a, b in ((x, y), (x, x), (y, y)))
    # The debiased estimate of a product of variances can fall below zero by chance.
    return cross / float(np.sqrt(own * other)) if own > 0 and other > 0 else 0.0


def cca(x: Features, y: Features) -> Array:
    """Return the canonical correlations of two representations.

    Hotelling (1936), Biometrika 28:321: the cosines of the principal angles between the spaces
    that the centred features span (Björck & Golub 1973). Invariant to any invertible linear
    map of either side.

    Parameters
    ----------
    x, y : array-like or DataArray, shape (sample, feature)
        Features of the same samples.

    Returns
    -------
    ndarray, shape (min of the two ranks,)
        Correlations, from the largest.

    Raises
    ------
    DataError
        Features that do not fit, or so many that some correlations are 1 whatever the data.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((40, 2))
    >>> cca(x, x @ [[1.0, 2.0], [3.0, 4.0]]).round(6)
    array([1., 1.])
    """
    x, y = _centred_pair(x, y)
    first, second = _basis(x), _basis(y)
    return _canonical(first, second)[1]


def svcca(x: Features, y: Features, variance: float = 0.99) -> float:
    """Return the mean canonical correlation of the leading principal components.

    Raghu et al. (2017), NeurIPS, section 2.1.

    Parameters
    ----------
    x, y : array-like or DataArray, shape (sample, feature)
        Features of the same samples.
    variance : float
        Share of the variance of each side that its components keep, above 0 and up to 1.

    Returns
    -------
    float
        0 to 1. Unrelated features do not give 0 but, with a and b components of n samples,
        about √(max(a, b) / n) or more: compare with shuffled samples.

    Raises
    ------
    DataError
        Features that do not fit, or so many components that some correlations are 1 whatever the
        data; keep less variance then.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((40, 3))
    >>> round(svcca(x, 2 * x[:, ::-1] + 1), 6)
    1.0
    """
    x, y = _centred_pair(x, y)
    share = number("variance", variance)
    if not 0 < share <= 1:
        raise DataError(f"Expected a variance above 0 and up to 1; got {variance}.")
    first, second = _basis(x, share), _basis(y, share)
    return float(_canonical(first, second)[1].mean())


def pwcca(x: Features, y: Features) -> float:
    """Return the mean canonical correlation, weighted by what each direction explains of ``x``.

    Morcos et al. (2018), NeurIPS, section 2.2: direction hᵢ counts with Σⱼ |hᵢ · xⱼ| over the
    features xⱼ. Not symmetric: exchanging the arguments changes the weights.

    Parameters
    ----------
    x, y : array-like or DataArray, shape (sample, feature)
        Features of the same samples; ``x`` gives the weights.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    DataError
        Features that do not fit, or so many that some correlations are 1 whatever the data.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared, noise = rng.standard_normal((2, 1000, 1))
    >>> x, y = np.hstack([10 * shared, noise]), shared
    >>> round(pwcca(x, np.hstack([y, rng.standard_normal((1000, 1))])), 1)
    0.9
    """
    x, y = _centred_pair(x, y)
    first = _basis(x)
    rotation, correlations = _canonical(first, _basis(y))
    directions = first @ rotation[:, : len(correlations)]
    weights = np.abs(directions.T @ x).sum(axis=1)
    return float(weights @ correlations / weights.sum())


def procrustes(x: Features, y: Features) -> float:
    """Return the distance that is left after the best rotation.

    With both sides centred and scaled to unit Frobenius norm, the smallest ‖x - y Q‖ over
    orthogonal Q, √(2 - 2 ‖xᵀy‖_*) (Schönemann 1966; Williams et al. 2021, NeurIPS, eq. 6). A
    metric: symmetric, zero for the same shape, and it keeps the triangle inequality.

    Parameters
    ----------
    x, y : array-like or DataArray, shape (sample, feature)
        Features of the same samples; the numbers of features may differ.

    Returns
    -------
    float
        0 (same shape) to √2.

    Raises
    ------
    DataError
        Features that do not fit, or that are constant.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((20, 3))
    >>> round(procrustes(x, 5 * x[:, ::-1] + 2), 6)
    0.0
    """
    return float(np.sqrt(2 - 2 * _nuclear(x, y)))


def shape_distance(x: Features, y: Features) -> float:
    """Return the angle that is left after the best rotation.

    arccos ‖xᵀy‖_* with both sides centred and scaled to unit Frobenius norm (Williams et al.
    2021, NeurIPS, eq. 7): the length of the shortest path between two shapes, a metric.

    Parameters
    ----------
    x, y : array-like or DataArray, shape (sample, feature)
        Features of the same samples; the numbers of features may differ.

    Returns
    -------
    float
        0 (same shape) to π/2, in radians.

    Raises
    ------
    DataError
        Features that do not fit, or that are constant.

    Examples
    --------
    >>> x = np.eye(4)[:, :1]
    >>> round(shape_distance(x, -x), 6)
    0.0
    """
    # The arc cosine loses half of the digits near 1; the chord does not.
    return float(2 * np.arcsin(np.clip(procrustes(x, y) / 2, 0, 1)))


def mutual_knn(x: Features, y: Features, k: int = 10) -> float:
    """Return the share of nearest neighbours that two representations have in common.

    Huh et al. (2024, ICML, eq. 11): neighbours by cosine similarity, a sample not among its own,
    averaged over samples. Unrelated representations share k / (n - 1).

    Parameters
    ----------
    x, y : array-like or DataArray, shape (sample, feature)
        Features of the same samples.
    k : int
        Number of neighbours, fewer than there are other samples.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    DataError
        Features that do not fit, or too many neighbours.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((30, 4))
    >>> mutual_knn(x, 3 * x, k=5)
    1.0
    """
    inputs = check_inputs(x, y)
    n, k = len(inputs.x), whole("k", k, least=1)
    if k >= n - 1:
        raise DataError(f"Expected fewer neighbours than the other {n - 1} samples; got {k}.")
    sides = [_unit_rows(side) for side in (inputs.x, inputs.y)]
    shared = 0
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        near = np.zeros((2, len(rows), n), dtype=bool)
        for mask, side in zip(near, sides, strict=True):
            closeness = side[rows] @ side.T
            closeness[np.arange(len(rows)), rows] = -np.inf
            np.put_along_axis(mask, np.argpartition(-closeness, k, axis=1)[:, :k], True, axis=1)
        shared += int((near[0] & near[1]).sum())
    return shared / (n * k)


def _centred_pair(x: Features, y: Features, least: int = 2) -> tuple[Array, Array]:
    """Return features in double precision, without their means."""
    inputs = check_inputs(x, y)
    if len(inputs.x) < least:
        raise DataError(f"Expected at least {least} samples; got {len(inputs.x)}.")
    return _centred(inputs.x), _centred(inputs.y)


def _centred(x: NDArray) -> Array:
    x = np.asarray(x, dtype=np.float64)
    centred = x - x.mean(axis=0)
    # What rounding leaves of a constant feature must not be scaled up later.
    level = 1e-13 * np.abs(x).max(axis=0)
    centred[:, np.abs(centred).max(axis=0) <= level] = 0
    scale = np.abs(centred).max()
    return centred / scale if scale > 0 else centred


def _hsic(x: Array, y: Array, debiased: bool) -> float:
    """Estimate the Hilbert–Schmidt independence criterion, but for a common factor."""
    if len(x) <= max(x.shape[1], y.shape[1]):
        k = x @ x.T
        m = k if y is x else y @ y.T
        product, own, other = float((k * m).sum()), np.diag(k), np.diag(m)
    else:
        product, own, other = float(((x.T @ y) ** 2).sum()), _energy(x), _energy(y)
    if not debiased:
        return product
    n = len(x)
    # Rows of a centred kernel sum to zero, so that without its diagonal row i sums to -kᵢᵢ.
    trace = product - own @ other
    totals = own.sum() * other.sum() / ((n - 1) * (n - 2))
    return float(trace + totals - 2 / (n - 2) * (own @ other))


def _energy(x: Array) -> Array:
    return np.einsum("np,np->n", x, x)


def _basis(x: Array, variance: float = 1.0) -> Array:
    """Return an orthonormal basis of the leading principal components over samples."""
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    floor = max(x.shape) * np.finfo(np.float64).eps * singular[0]
    power = singular**2
    if not power.any():
        raise DataError("Every feature of one side is constant, so nothing can correlate.")
    # Components up to and with the one that reaches the share.
    before = np.concatenate([[0.0], np.cumsum(power)[:-1]]) / power.sum()
    return np.asarray(left[:, (singular > floor) & (before < variance)])


def _canonical(first: Array, second: Array) -> tuple[Array, Array]:
    """Return the rotation of the first basis to canonical directions, and the correlations."""
    n, ranks = len(first), (first.shape[1], second.shape[1])
    forced = sum(ranks) - (n - 1)
    if forced > 0:
        raise DataError(
            f"Features of rank {ranks[0]} and {ranks[1]} over {n} samples have "
            f"{min(forced, *ranks)} canonical correlations of 1 whatever the data. Use more "
            "samples, fewer components (svcca with less variance), or cka."
        )
    rotation, correlations, _ = np.linalg.svd(first.T @ second)
    return rotation, np.clip(correlations, 0, 1)


def _nuclear(x: Features, y: Features) -> float:
    """Return the nuclear norm of the product of two shapes of unit size."""
    sides = []
    for name, side in zip("xy", _centred_pair(x, y), strict=True):
        norm = np.linalg.norm(side)
        if norm == 0:
            raise DataError(f"Every feature of {name} is constant, so it has no shape.")
        # A rotation of the features changes nothing, and leaves no more of them than samples.
        wide = side.shape[1] > len(side)
        sides.append((np.transpose(np.linalg.qr(side.T, mode="r")) if wide else side) / norm)
    product = np.linalg.svd(sides[0].T @ sides[1], compute_uv=False).sum()
    return float(np.clip(product, 0, 1))


def _unit_rows(x: NDArray) -> NDArray:
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)
