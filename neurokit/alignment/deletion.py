"""Errors on held-out samples from the fit of all samples, without a fit for each fold.

With H the hat matrix of a ridge fit, the 1/n of the intercept included, and e its residuals, the
samples S that a training set leaves out have the held-out residuals (I - H_SS)⁻¹ e_S: what Allen
(1974) has for single samples holds for sets of them. In the dual, where I - H = U diag(α / (w + α))
Uᵀ is had without a subtraction, k folds so share the one eigendecomposition of all samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurokit.alignment.spectra import Spectrum, is_plain
from neurokit.alignment.splits import Folds

__all__ = ["Deletion", "deleted_errors", "deletions"]

FEW = 2 / 7  # samples left out to training samples, beyond which decomposing a fold is cheaper
DOUBLE_BELOW = 1e-4  # share of the top eigenvalue, below which to invert in double precision
LARGEST = {"float32": 5e3, "float64": 5e7}  # magnification of residuals that rounding allows


@dataclass(frozen=True)
class Deletion:
    """What turns residuals of the fit of all samples into those of a training set.

    Attributes
    ----------
    rest : ndarray of int
        Samples outside the training set.
    inverse : list of array, shape (test samples, rest)
        For each penalty the test samples' rows of (I - H_SS)⁻¹.
    """

    rest: NDArray[np.intp]
    inverse: list[Any]


def deletions(spectrum: Spectrum, folds: Folds, alphas: NDArray[np.float64]) -> list[Deletion]:
    """Prepare folds, where they are had more cheaply, and as exactly, from the fit of all samples.

    Parameters
    ----------
    spectrum : Spectrum
        Of all samples.
    folds : list of (ndarray, ndarray)
        Training and test samples.
    alphas : ndarray, shape (penalties,)
        The grid, ascending.

    Returns
    -------
    list of Deletion
        For :func:`deleted_errors`. Empty in the primal, and in the dual where some fold leaves
        out much more than a fifth of the samples, where penalties are too small for the Gram
        matrix as it is, or where residuals would be magnified so much that rounding shows, as
        of a sample that is much larger than all others.

    Examples
    --------
    >>> from neurokit.alignment.devices import Place
    >>> from neurokit.alignment.spectra import decompose, gram_of
    >>> spectrum = decompose(gram_of(np.eye(5), True, Place("cpu", "float64")))
    >>> folds = [(np.arange(4), np.array([4]))]
    >>> [len(deletions(spectrum, folds, np.array([alpha, 1.0]))) for alpha in (0.1, 1e-9)]
    [1, 0]
    """
    n = len(spectrum.scores)
    few = all(n - len(train) <= FEW * len(train) for train, _ in folds)
    if not (spectrum.dual and few and is_plain(spectrum, float(alphas.min()))):
        return []
    done = []
    for train, test in folds:
        rest = np.setdiff1d(np.arange(n), train)
        least = _inverse(spectrum, rest, float(alphas[0]))
        # The smaller the penalty, the nearer I - H_SS is to singular.
        if not float(abs(least.diagonal()).max()) <= LARGEST[spectrum.place.dtype]:
            return []
        rows = spectrum.place.index(np.searchsorted(rest, test))
        more = (_inverse(spectrum, rest, float(alpha)) for alpha in alphas[1:])
        done.append(Deletion(rest, [spectrum.place.put(one[rows]) for one in (least, *more)]))
    return done


def deleted_errors(
    spectrum: Spectrum,
    folds: list[Deletion],
    rotated: Any,
    alphas: NDArray[np.float64],
    tried: NDArray[np.intp],
) -> Any:
    """Score penalties by the mean squared error of each fold, averaged over folds.

    Parameters
    ----------
    spectrum : Spectrum
        Of all samples.
    folds : list of Deletion
        From :func:`deletions`.
    rotated : array, shape (rank, targets)
        Targets on the basis of the spectrum.
    alphas : ndarray, shape (penalties,)
        The grid.
    tried : ndarray of int, shape (tries, 1) or (tries, targets)
        Indices of the penalties to score, one for all targets or one for each.

    Returns
    -------
    array, shape (tries, targets)
        The errors.

    Examples
    --------
    >>> from neurokit.alignment.devices import Place
    >>> from neurokit.alignment.spectra import decompose, gram_of
    >>> spectrum = decompose(gram_of(np.eye(5), False, Place("cpu", "float64")))
    >>> folds = deletions(spectrum, [(np.arange(4), np.array([4]))], np.array([1.0]))
    >>> rotated = spectrum.scores.T @ np.array([[0.0], [0.0], [0.0], [0.0], [2.0]])
    >>> deleted_errors(spectrum, folds, rotated, np.array([1.0]), np.array([[0]])).round(6)
    array([[4.]])
    """
    place, w = spectrum.place, spectrum.eigenvalues[:, None]
    errors = place.zeros((len(tried), rotated.shape[1]))
    for row, indices in enumerate(tried):
        for a in np.unique(indices):
            one = len(indices) == 1
            at = slice(None) if one else place.index(np.flatnonzero(indices == a))
            gain = place.put(alphas[a] / (w + alphas[a]))
            residual = spectrum.scores @ (gain * rotated[:, at])
            for fold in folds:
                held_out = fold.inverse[a] @ residual[place.index(fold.rest)]
                share = len(held_out) * len(folds)
                errors[row, at] += place.square_sum(held_out) / share
    return errors


def _inverse(spectrum: Spectrum, rest: NDArray[np.intp], alpha: float) -> Any:
    """Invert I - H_SS for one penalty."""
    place, w = spectrum.place, spectrum.eigenvalues
    dtype = place.wide if alpha < DOUBLE_BELOW * w.max(initial=0) else place.dtype
    root = place.put(np.sqrt(alpha / (w + alpha)), dtype)
    half = place.put(spectrum.scores[place.index(rest)], dtype) * root
    return place.inverse(half @ half.T)
