"""Which feature spaces explain a response alone, and what they explain in common."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, combinations
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from neurokit.alignment.encoding import encode
from neurokit.alignment.splits import Cv
from neurokit.arguments import instance
from neurokit.errors import DataError

__all__ = ["variance_partition"]

JOINT = " & "
MOST = 6  # spaces: 63 models


def variance_partition(
    x: Mapping[str, ArrayLike | xr.DataArray],
    y: ArrayLike | xr.DataArray,
    groups: ArrayLike | None = None,
    cv: Cv = 5,
    **settings: Any,
) -> xr.Dataset:
    """Divide the cross-validated R2 of several feature spaces into unique and shared parts.

    Every combination of spaces is fitted on the same folds, joint models as banded ridge
    regression with a band per space. Parts follow by inclusion and exclusion. They are not
    clipped: held-out R2 of more features can be smaller, and a negative part says so.

    Parameters
    ----------
    x : mapping of str to array-like or DataArray, shape (samples, features)
        Two to six feature spaces by name.
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Responses.
    groups : array-like, shape (samples,), optional
        Run, story, session or subject of each sample, see :func:`~neurokit.alignment.encode`.
    cv : int, None, or iterable of (train, test)
        Folds, as for :func:`~neurokit.alignment.encode`.
    **settings
        Other arguments of :func:`~neurokit.alignment.encode`, the same for all models, such as
        ``delays``, ``selection`` and ``seed``. Permutations and resamples are off unless asked
        for, as they multiply with the number of models.

    Returns
    -------
    Dataset
        Over ``part`` and ``target``: ``partition``, the R2 that exactly these spaces share;
        ``"a"`` is what a explains alone, ``"a & b"`` what a and b both explain and no other
        space does. Parts sum to the R2 of the model with all spaces. ``partition_fold`` has
        them per fold. Over ``model`` and ``target``: ``R2``, ``r`` and, where asked for, ``p``,
        ``q``, ``r_low`` and ``r_high`` of the models that see these spaces.

    Raises
    ------
    DataError
        Fewer than two spaces or more than six, names that contain " & ", spaces of different
        length, or anything that :func:`~neurokit.alignment.encode` refuses.

    Notes
    -----
    Part S of the spaces A is Σ_{T ⊆ S} (-1)^(|T|+1) R²(T ∪ A∖S), with R²(∅) = 0: commonality
    analysis (Nimon & Oswald 2013, Org. Res. Methods 16:650), here on held-out samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared, a, b, noise = rng.standard_normal((4, 600, 1))
    >>> spaces = {"a": np.hstack([shared, a]), "b": np.hstack([shared, b])}
    >>> result = variance_partition(spaces, shared + a + b + noise)
    >>> result.part.values.tolist()
    ['a', 'b', 'a & b']
    >>> result.partition.values.ravel().round(1)  # truth: a quarter each
    array([0.2, 0.3, 0.2])
    """
    spaces = _spaces(x)
    names = list(spaces)
    folds = cv if cv is None or isinstance(cv, int | np.integer) else list(cv)
    quiet = {"n_permutations": 0, "n_bootstraps": 0, **settings}
    subsets = list(chain.from_iterable(combinations(names, k) for k in range(1, len(names) + 1)))
    models = {}
    for subset in subsets:
        joined, bands = _join(spaces, subset)
        split = bands if len(subset) > 1 else None
        models[subset] = encode(joined, y, groups, folds, bands=split, **quiet)
    full = models[subsets[-1]]
    r2 = {frozenset(subset): fit.R2_fold for subset, fit in models.items()}
    parts = xr.concat([_part(r2, set(subset), set(names)) for subset in subsets], "part")
    kept = [name for name in ("r", "R2", "p", "q", "r_low", "r_high") if name in full]
    scores = xr.concat([fit[kept] for fit in models.values()], "model", join="exact")
    labels = [JOINT.join(subset) for subset in subsets]
    out = scores.assign(partition_fold=parts, partition=parts.mean("fold"))
    out = out.assign_coords(part=labels, model=labels)
    out.attrs = {**full.attrs, "partition": "unclipped; parts sum to the R2 of all spaces"}
    return out


def _part(
    r2: Mapping[frozenset[str], xr.DataArray], shared: set[str], names: set[str]
) -> xr.DataArray:
    """Return what exactly these spaces share, by inclusion and exclusion."""
    rest = frozenset(names - shared)
    total = -r2[rest] if rest else 0 * next(iter(r2.values()))
    for size in range(1, len(shared) + 1):
        for some in combinations(sorted(shared), size):
            total = total + (-1) ** (size + 1) * r2[rest | frozenset(some)]
    return total


def _join(
    spaces: Mapping[str, np.ndarray], subset: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, slice]]:
    """Put spaces side by side, and say which columns are whose."""
    ends = np.cumsum([0, *(spaces[name].shape[1] for name in subset)]).tolist()
    bands = {name: slice(ends[k], ends[k + 1]) for k, name in enumerate(subset)}
    return np.concatenate([spaces[name] for name in subset], axis=1), bands


def _spaces(x: Mapping[str, ArrayLike | xr.DataArray]) -> dict[str, np.ndarray]:
    """Return feature spaces that fit together as arrays."""
    instance("x", x, Mapping, "a mapping of names to feature spaces")
    spaces = {str(name): np.asarray(values) for name, values in x.items()}
    if not 2 <= len(spaces) <= MOST:
        raise DataError(f"Expected 2 to {MOST} feature spaces; got {len(spaces)}.")
    shapes = {name: values.shape for name, values in spaces.items()}
    if (
        any(len(shape) != 2 for shape in shapes.values())
        or len({s[0] for s in shapes.values()}) > 1
    ):
        raise DataError(
            f"Expected spaces of shape (samples, features) with equal samples; got {shapes}."
        )
    joint = [name for name in spaces if JOINT in name]
    if joint:
        raise DataError(f"Names of spaces must not contain {JOINT!r}; got {joint[0]!r}.")
    return spaces
