"""Which n-grams of codes mark a class, and whether more than chance would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.eegformer.naive_bayes import NgramNaiveBayes

__all__ = ["rank_patterns"]

# Permutations at once: their scores are dense, one number an n-gram each.
_CHUNK = 32


def rank_patterns(
    model: NgramNaiveBayes,
    codes: ArrayLike,
    y: ArrayLike,
    *,
    units: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_permutations: int = 999,
    level: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Rank n-grams by what they say of a class, and test them all at once.

    The rank is :math:`p(\text{class} \mid \text{n-gram})` of naive Bayes with equal priors;
    n-grams that are not significant follow, by z. The probability says how pure an n-gram is,
    and a rare one is pure by accident, so significance is tested with how often each unit shows
    it: with the square roots :math:`r_u` of how often a window of unit u has it (roots, because
    counts spread more the larger they are) and labels :math:`l_u`,

    .. math:: z = \frac{\sum_u (l_u - \bar l) r_u}
        {\sqrt{\sum_s \frac{1}{m_s - 1} \sum_{u \in s} (l_u - \bar l)^2 \sum_{u \in s} (r_u -
        \bar r)^2}},

    means taken in each stratum s of :math:`m_s` units, has mean 0 and variance 1 when labels
    are permuted within strata. The largest z over all n-grams and classes in each permutation
    is what each n-gram must beat (Westfall & Young 1993), so ``p`` holds for the whole table.
    Units of a stratum are compared over equally many windows each, as the smallest has, from
    the middle of the others: the rate of something rare is spread otherwise in a long
    recording than in a short one, and where one class has the longer recordings that alone
    would be significant.

    Parameters
    ----------
    model : NgramNaiveBayes
        Fitted to these windows.
    codes : array-like of int, shape (window, channel, patch)
        The windows.
    y : array-like, shape (window,)
        Class of each.
    units : array-like, shape (window,), optional
        What was labelled as a whole, such as the recording: its windows are counted together,
        and share one label. By default each window is a unit, which is right only if
        neighbours do not resemble each other.
    groups : array-like, shape (window,), optional
        What units are compared within, such as the subject. Groups of one label each are
        compared with each other instead: then each is one unit.
    n_permutations : int
        How often labels are permuted; the smallest p is one over one more.
    level : float
        Family-wise error below which an n-gram is significant.
    seed : int
        Of the permutations.

    Returns
    -------
    DataFrame
        One row an n-gram and the class that it speaks for: ``gram`` (its index in the
        vocabulary), ``codes``, ``channel`` and ``patch`` (-1 where pooled), ``class``,
        ``probability``, ``windows`` (that contain it), ``rate_in`` and ``rate_out`` (how often
        a window of that class, and of others, has it), ``z``, ``p`` and ``significant``.

    Raises
    ------
    DataError
        If a unit has two labels or lies in two groups, or labels never differ where they
        could be permuted.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(8, size=(60, 2, 10))
    >>> y = np.arange(60) % 2
    >>> codes[y == 1, 0, 3:5] = [7, 6]  # planted in every other window
    >>> table = rank_patterns(NgramNaiveBayes(n=2).fit(codes, y), codes, y, n_permutations=99)
    >>> print(*table.loc[0, ["codes", "class", "significant"]])
    (7, 6) 1 True
    """
    counts = model.grams.transform(codes)
    labels = _per_window("y", y, counts.shape[0])
    design = _design(labels, units, groups)
    rates = design.rates(counts)
    z, nulls = _tested(design, rates, arguments.whole("n_permutations", n_permutations, 1), seed)
    best = z.argmax(axis=0)
    columns = np.arange(z.shape[1])
    p = 1 + len(nulls) - np.searchsorted(nulls, z[best, columns] * (1 - 1e-9))
    table = pd.DataFrame(
        {
            "gram": columns,
            "class": model.classes[best],
            "probability": model.posterior()[best, columns],
            "windows": (counts > 0).sum(axis=0),
            **_rates_of(counts, labels, model.classes, best),
            "z": z[best, columns],
            "p": p / (1 + len(nulls)),
        }
    )
    table["significant"] = table["p"] <= arguments.positive("level", level)
    purity = np.where(table["significant"], table["probability"], 0.0)
    table = table.iloc[np.lexsort((-table["z"], -purity))].reset_index(drop=True)
    words, channel, patch = zip(*model.grams.words(table["gram"]), strict=True)
    for place, (name, column) in enumerate(
        {"codes": list(words), "channel": channel, "patch": patch}.items()
    ):
        table.insert(1 + place, name, column)
    return table


@dataclass(frozen=True)
class _Design:
    """Units with one label each, in strata within which labels could have been others."""

    member: sparse.csr_array  # (unit, window), rows sum to one
    label: NDArray[np.intp]
    stratum: NDArray[np.intp]
    n_classes: int

    def rates(self, counts: sparse.csr_array) -> sparse.csr_array:
        return sparse.csr_array(self.member @ counts).sqrt()

    def contrasts(self, label: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return labels less their mean in the stratum, shape (..., class, unit)."""
        one_hot = np.eye(self.n_classes)[label]
        return np.moveaxis(one_hot - self._means()[self.stratum], -1, -2)

    def _means(self) -> NDArray[np.float64]:
        sums = np.zeros((self.stratum.max() + 1, self.n_classes))
        np.add.at(sums, (self.stratum, self.label), 1.0)
        return sums / sums.sum(axis=1, keepdims=True)

    def spread(self, rates: sparse.csr_array) -> NDArray[np.float64]:
        """Return the standard deviation over all permutations, shape (class, n-gram)."""
        size = np.bincount(self.stratum)
        inside = sparse.csr_array(
            (np.ones(len(self.stratum)), (self.stratum, np.arange(len(self.stratum))))
        )
        mean = self._means()
        of_labels = size[:, None] * mean * (1 - mean) / np.maximum(size - 1, 1)[:, None]
        squares = of_labels.T @ (inside @ rates.power(2))
        sums = sparse.csr_array(inside @ rates).power(2)
        return np.sqrt(np.maximum(squares - (of_labels / size[:, None]).T @ sums, 0))

    def permuted(self, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Shuffle labels within strata, shape (permutation, unit)."""
        home = np.argsort(self.stratum, kind="stable")
        away = np.argsort(self.stratum + rng.random((n, len(self.stratum))), axis=1)
        out = np.empty(away.shape, dtype=np.intp)
        out[:, home] = self.label[away]
        return out


def _design(
    labels: NDArray[np.generic], units: ArrayLike | None, groups: ArrayLike | None
) -> _Design:
    n = len(labels)
    code = np.unique(labels, return_inverse=True)[1]
    group = np.zeros(n, np.intp) if groups is None else _numbers("groups", groups, n)
    if groups is not None and not _varies(code, group):
        unit, stratum = group, np.zeros(n, np.intp)
    else:
        unit = np.arange(n) if units is None else _numbers("units", units, n)
        stratum = group
    first = np.unique(unit, return_index=True)[1]
    for what, values in (("label", code), ("group", stratum)):
        if (values != values[first][unit]).any():
            raise DataError(
                f"A unit has more than one {what}. Units are what was labelled as a whole, such "
                "as recordings; leave them out if windows were labelled one by one."
            )
    code, stratum = code[first], stratum[first]
    if not _varies(code, stratum):
        raise DataError("Labels never differ within a group, nor between groups: nothing to test.")
    kept = _as_many(unit, stratum)
    share = 1 / np.bincount(unit[kept])[unit[kept]]
    member = sparse.csr_array((share, (unit[kept], kept)), shape=(len(first), n))
    return _Design(member, code, stratum, int(code.max()) + 1)


def _as_many(unit: NDArray[np.intp], stratum: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choose as many windows of each unit as the smallest of its stratum has, from its middle."""
    size = np.bincount(unit)
    smallest = np.full(stratum.max() + 1, len(unit))
    np.minimum.at(smallest, stratum, size)
    order = np.argsort(unit, kind="stable")
    rank = np.arange(len(unit)) - np.repeat(np.cumsum(size) - size, size)
    wanted = smallest[stratum]
    begin = (size - wanted) // 2
    mine = unit[order]
    return np.sort(order[(rank >= begin[mine]) & (rank < (begin + wanted)[mine])])


def _tested(
    design: _Design, rates: sparse.csr_array, n: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return z (class, n-gram), and the sorted largest z of each permutation."""
    spread = design.spread(rates)
    # What every unit shows equally often has rounding errors for a spread.
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-9)
    rng = np.random.default_rng(seed)
    z = (design.contrasts(design.label) @ rates) * scale
    nulls = []
    for begin in range(0, n, _CHUNK):
        drawn = design.contrasts(design.permuted(min(_CHUNK, n - begin), rng))
        shape = drawn.shape
        scores = (drawn.reshape(-1, shape[-1]) @ rates).reshape(*shape[:2], -1) * scale
        nulls.append(scores.max(axis=(1, 2)))
    return z, np.sort(np.concatenate(nulls))


def _rates_of(
    counts: sparse.csr_array,
    labels: NDArray[np.generic],
    classes: NDArray[np.generic],
    best: NDArray[np.intp],
) -> dict[str, NDArray[np.float64]]:
    """Count an n-gram a window in its class and outside."""
    member = labels[:, None] == classes
    sums = (counts.T @ member.astype(float)).T
    size = member.sum(axis=0)
    columns = np.arange(len(best))
    inside = sums[best, columns]
    outside = (sums.sum(axis=0) - inside) / (size.sum() - size[best])
    return {"rate_in": inside / size[best], "rate_out": outside}


def _varies(label: NDArray[np.intp], stratum: NDArray[np.intp]) -> bool:
    first = np.unique(stratum, return_index=True)[1]
    return bool((label != label[first][stratum]).any())


def _numbers(what: str, values: ArrayLike, n: int) -> NDArray[np.intp]:
    return np.unique(_per_window(what, values, n), return_inverse=True)[1]


def _per_window(what: str, values: ArrayLike, n: int) -> NDArray[np.generic]:
    array = np.asarray(values)
    if array.shape != (n,):
        raise DataError(f"Expected {what} as one value a window, shape ({n},); got {array.shape}.")
    return array
