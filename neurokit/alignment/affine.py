"""An affine map of features that makes their odd-one-out choices those of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.special
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.matrices import finite_array
from neurokit.alignment.odd_one_out import check_probabilities, check_triplets, pair_similarities
from neurokit.alignment.triplets import object_folds
from neurokit.arguments import whole
from neurokit.errors import DataError, UnknownNameError

__all__ = ["AffineMap", "fit_affine"]

Array = NDArray[np.float64]

TARGETS = ("identity", "zero")


@dataclass(frozen=True)
class AffineMap:
    """The map x ↦ x W + b, fitted to odd-one-out choices by :func:`fit_affine`.

    Attributes
    ----------
    weight : ndarray, shape (features, features)
        W.
    bias : ndarray, shape (features,)
        b.
    penalty : float
        The penalty it was fitted with.
    loss : float
        Mean cross-entropy over the training triplets, in nats.

    Examples
    --------
    >>> AffineMap(2 * np.eye(2), np.ones(2), 0.1, 1.0)(np.array([[1.0, 2.0]]))
    array([[3., 5.]])
    """

    weight: Array
    bias: Array
    penalty: float
    loss: float

    def __call__(self, x: ArrayLike | xr.DataArray) -> NDArray | xr.DataArray:
        """Map features, of these or other objects.

        Parameters
        ----------
        x : array-like or DataArray, shape (object, feature)
            Features of the kind that it was fitted to.

        Returns
        -------
        ndarray or DataArray, shape (object, feature)
            What was given, mapped, in its precision.

        Raises
        ------
        DataError
            Another number of features, or values that are missing.

        Examples
        --------
        >>> AffineMap(np.eye(2), np.zeros(2), 0.1, 1.0)([[1, 2]])
        array([[1., 2.]])
        """
        values = finite_array("x", x, "object, feature", least=1)
        if values.shape[1] != len(self.bias):
            raise DataError(f"Expected {len(self.bias)} features; got {values.shape[1]}.")
        mapped = values @ self.weight.astype(values.dtype) + self.bias.astype(values.dtype)
        return x.copy(data=mapped) if isinstance(x, xr.DataArray) else mapped


def fit_affine(
    features: ArrayLike | xr.DataArray,
    triplets: ArrayLike,
    *,
    probabilities: ArrayLike | None = None,
    penalty: float | Sequence[float] = 0.3,
    toward: str = "identity",
    max_iter: int = 60,
    seed: int = 0,
) -> AffineMap:
    """Fit an affine map to odd-one-out choices, or to their probabilities.

    Features z of objects are first centred and scaled to unit mean square. Then W and b minimise

        - Σₜ Σₖ qₜₖ ln softmaxₖ(sₜ) / n  +  penalty · ‖W - c I‖²

    over n triplets t, where sₜₖ is the dot product of the two mapped objects other than k, and c
    is the mean of W's diagonal, so that any multiple of the identity is free of charge
    (Muttenthaler et al. 2023, NeurIPS, eq. 6). q is 1 for the chosen odd one; given as
    ``probabilities`` of a teacher that knows how sure people are, the sum is, but for a
    constant, the Kullback–Leibler divergence (uncertainty distillation: Muttenthaler et al.
    2025, Nature). All triplets enter each step of L-BFGS, by way of the matrix of all pairs of
    the objects, so memory grows with the square of their number, not with that of triplets.

    Parameters
    ----------
    features : array-like or DataArray, shape (object, feature)
        Features of all objects; only those in the triplets are used.
    triplets : array-like of int, shape (n, 3)
        Training triplets, the chosen odd one last.
    probabilities : array-like, shape (n, 3), optional
        Probability that each object of a triplet is the odd one.
    penalty : float or sequence of float
        Weight of the penalty, 0 or more. Of several, the one with the smallest loss on held-out
        objects (three folds) is taken.
    toward : str
        ``"identity"`` as above, or ``"zero"`` for ‖W‖² itself.
    max_iter : int
        Steps of L-BFGS; stopping early also regularises.
    seed : int
        Of the folds.

    Returns
    -------
    AffineMap
        Call it to map features.

    Raises
    ------
    UnknownNameError, DataError
        Unknown words, triplets or probabilities that do not fit, or constant features.

    Examples
    --------
    >>> from neurokit.alignment import odd_one_out_score, simulate_choices, uniform_triplets
    >>> people = np.random.default_rng(0).standard_normal((40, 4)) * [3, 2, 0, 0]
    >>> triplets = simulate_choices(people, uniform_triplets(40, 2000))
    >>> features = people / [3, 2, 1, 1] + [[0, 0, 1, 1]] * np.arange(40)[:, None]
    >>> mapped = fit_affine(features, triplets, penalty=0.01)(features)
    >>> before, after = (odd_one_out_score(x, triplets).accuracy for x in (features, mapped))
    >>> bool(after > before + 0.2)
    True
    """
    if toward not in TARGETS:
        raise UnknownNameError("target of the penalty", toward, TARGETS)
    values = finite_array("features", features, "object, feature", least=3)
    rows = check_triplets(triplets, len(values))
    soft = _soft(probabilities, len(rows))
    penalties = [float(p) for p in np.atleast_1d(np.asarray(penalty, dtype=np.float64))]
    if not penalties or not all(0 <= p < np.inf for p in penalties):
        raise DataError(f"Expected penalties of 0 or more; got {penalties}.")
    steps = whole("max_iter", max_iter, least=1)
    best = penalties[0]
    if len(penalties) > 1:
        best = _choose(values, rows, soft, penalties, toward, steps, seed)
    return _fit(values, rows, soft, best, toward, steps)


def _fit(
    values: NDArray, rows: NDArray[np.int64], soft: Array, penalty: float, toward: str, steps: int
) -> AffineMap:
    """Minimise the loss for one penalty."""
    objects, local = np.unique(rows, return_inverse=True)
    used = values[objects].astype(np.float64)
    mean = used.mean(axis=0)
    scale = np.sqrt(((used - mean) ** 2).mean())
    if scale == 0:
        raise DataError("All features of the objects in the triplets are constant.")
    # The products are the cost, and single precision is enough for them.
    z = ((used - mean) / scale).astype(np.float32)
    p = z.shape[1]
    loss = _Loss(z, local.reshape(rows.shape), soft, penalty, toward)
    start = np.concatenate([(np.eye(p) / np.sqrt(p)).ravel(), np.zeros(p)])
    found = scipy.optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}
    )
    weight, bias = found.x[: p * p].reshape(p, p) / scale, found.x[p * p :]
    return AffineMap(weight, bias - mean @ weight, penalty, loss.cross_entropy(found.x))


class _Loss:
    """The penalised cross-entropy and its gradient.

    Parameters
    ----------
    z : ndarray, shape (objects, features)
        Standardised features.
    rows : ndarray of int, shape (triplets, 3)
        Triplets of them.
    soft : ndarray, shape (triplets, 3)
        Probabilities of the choices.
    penalty : float
        Weight of the penalty.
    toward : str
        What W is drawn to.
    """

    def __init__(
        self, z: NDArray, rows: NDArray[np.int64], soft: Array, penalty: float, toward: str
    ) -> None:
        a, b, c = rows.T
        self.z, self.soft, self.penalty, self.toward = z, soft, penalty, toward
        # Places of the pairs in the flattened matrix of all pairs of objects.
        self.pairs = np.column_stack([b * len(z) + c, a * len(z) + c, a * len(z) + b])

    def __call__(self, flat: Array) -> tuple[float, Array]:
        weight, bias = self._unpack(flat)
        mapped = self.z @ weight.astype(np.float32) + bias.astype(np.float32)
        entropy, surplus = self._choices(mapped)
        n = len(mapped)
        pull = np.bincount(self.pairs.ravel(), surplus.ravel(), n * n).reshape(n, n)
        steep = (pull + pull.T).astype(np.float32) @ mapped
        away = weight.copy()
        if self.toward == "identity":
            np.fill_diagonal(away, away.diagonal() - away.trace() / len(away))
        slope = (self.z.T @ steep).astype(np.float64) + 2 * self.penalty * away
        gradient = np.concatenate([slope.ravel(), steep.sum(axis=0, dtype=np.float64)])
        return entropy + self.penalty * float((away**2).sum()), gradient

    def cross_entropy(self, flat: Array) -> float:
        """Return the loss without the penalty."""
        weight, bias = self._unpack(flat)
        return self._choices((self.z @ weight + bias).astype(np.float32))[0]

    def _choices(self, mapped: NDArray) -> tuple[float, Array]:
        """Return the cross-entropy, and how it changes with each similarity."""
        alike = (mapped @ mapped.T).ravel()[self.pairs].astype(np.float64)
        logs = scipy.special.log_softmax(alike, axis=1)
        return -float((self.soft * logs).sum()) / len(logs), (np.exp(logs) - self.soft) / len(logs)

    def _unpack(self, flat: Array) -> tuple[Array, Array]:
        p = self.z.shape[1]
        return flat[: p * p].reshape(p, p), flat[p * p :]


def _choose(
    values: NDArray,
    rows: NDArray[np.int64],
    soft: Array,
    penalties: Sequence[float],
    toward: str,
    steps: int,
    seed: int,
) -> float:
    """Return the penalty with the smallest loss on objects that were held out."""
    folds = object_folds(rows, 3, seed)
    losses = np.zeros(len(penalties))
    for train, test in folds:
        for k, penalty in enumerate(penalties):
            mapped = _fit(values, rows[train], soft[train], penalty, toward, steps)(values)
            logs = scipy.special.log_softmax(pair_similarities(mapped, rows[test]), axis=1)
            losses[k] -= (soft[test] * logs).sum() / len(test)
    return penalties[int(np.argmin(losses))]


def _soft(probabilities: ArrayLike | None, n: int) -> Array:
    """Return probabilities of the choices; without any, the last object was chosen."""
    if probabilities is None:
        return np.tile([0.0, 0.0, 1.0], (n, 1))
    return check_probabilities(probabilities, n)
