"""Whitening by a shrunk noise covariance, without ever forming it.

Covariances of thousands of channels are estimated from a few hundred residuals. Their
Ledoit–Wolf estimate is a multiple of the identity but for the directions that the residuals
span, so a thin eigendecomposition holds all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurokit.errors import DataError

__all__ = ["Whitener", "ledoit_wolf"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Whitener:
    """The inverse square root of a covariance Σ = V diag(v) Vᵀ + u (I - V Vᵀ).

    Attributes
    ----------
    basis : ndarray, shape (features, directions)
        Orthonormal directions V.
    gain : ndarray, shape (directions,)
        1/√v along them.
    rest : float
        1/√u in all other directions.
    shrinkage : float
        Weight of the multiple of the identity, 0 to 1.
    """

    basis: Array
    gain: Array
    rest: float
    shrinkage: float

    def __call__(self, x: NDArray) -> Array:
        """Scale patterns so that their noise has unit variance in every direction.

        Parameters
        ----------
        x : ndarray, shape (..., features)
            Patterns.

        Returns
        -------
        ndarray, shape (..., features)
            x Σ^(-1/2).

        Examples
        --------
        >>> Whitener(np.array([[1.0], [0.0]]), np.array([0.5]), 1.0, 0.0)(np.array([2.0, 2.0]))
        array([1., 2.])
        """
        along = (x @ self.basis) * (self.gain - self.rest)
        return np.asarray(x * self.rest + along @ self.basis.T, dtype=np.float64)


def ledoit_wolf(residuals: NDArray, dof: int) -> Whitener:
    """Estimate a noise covariance, shrunk towards a multiple of the identity.

    Ledoit & Wolf (2004), J. Multivar. Anal. 88:365, equations 14 and lemmas 3.2–3.4. All of
    their sums are sums over the eigenvalues of the smaller Gram matrix.

    Parameters
    ----------
    residuals : ndarray, shape (samples, features)
        Noise, of which the means have been removed already.
    dof : int
        Degrees of freedom that are left after those means.

    Returns
    -------
    Whitener
        The inverse square root of the estimate.

    Raises
    ------
    DataError
        No degree of freedom, or residuals that are all zero.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((500, 3)) * [1, 2, 4]
    >>> ledoit_wolf(noise, 500)(noise).std(axis=0).round(1)
    array([1., 1., 1.])
    """
    residuals = np.asarray(residuals, dtype=np.float64)
    n, p = residuals.shape
    energy = np.einsum("np,np->n", residuals, residuals)
    if dof < 1 or not energy.any():
        raise DataError(
            f"Cannot estimate noise from {n} residuals with {max(dof, 0)} degrees of freedom and "
            f"variance {energy.sum() / n / p:.3g}. Pass residuals of shape (samples, features)."
        )
    values, basis = _spectrum(residuals)
    mean, square = energy.sum() / n / p, float((values**2).sum())
    spread = square - p * mean**2
    noise = ((energy**2).mean() - square) / n
    shrinkage = float(np.clip(noise / spread, 0, 1)) if spread > 1e-14 * square else 1.0
    scale = n / dof
    flat = shrinkage * mean * scale
    if flat == 0 and len(values) < p:
        raise DataError(f"{n} residuals leave the covariance of {p} features without an inverse.")
    along = 1 / np.sqrt((1 - shrinkage) * values * scale + flat)
    return Whitener(basis, along, 1 / np.sqrt(flat) if flat else 0.0, shrinkage)


def _spectrum(residuals: Array) -> tuple[Array, Array]:
    """Return the positive eigenvalues and eigenvectors of the covariance, by the cheaper side."""
    n, p = residuals.shape
    if p <= n:
        values, basis = np.linalg.eigh(residuals.T @ residuals / n)
        return np.maximum(values, 0), basis
    values, left = np.linalg.eigh(residuals @ residuals.T / n)
    keep = values > values[-1] * 1e-12
    values, left = values[keep], left[:, keep]
    return values, residuals.T @ (left / np.sqrt(n * values))
