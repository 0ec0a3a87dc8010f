"""Benchmarks without a regression: dissimilarities of subjects, and odd-one-out choices.

Nothing is fitted but the choice of a layer: by the other subjects, or by the other choices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurokit.alignment import rsa
from neurokit.alignment.benchmarks.metrics import CHANCE
from neurokit.alignment.benchmarks.representations import Layers
from neurokit.alignment.benchmarks.results import Outcome
from neurokit.alignment.benchmarks.uncertainty import student
from neurokit.alignment.rsa.comparison import embed, matrices, squares
from neurokit.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard
    from neurokit.datasets.assemblies import Assembly

__all__ = ["choose_by_others", "evaluate_geometry", "odd_one_out_accuracy"]

Array = NDArray[np.float64]
_DRAWS = 200
_FEWEST_DRAWS = 40
_PARTS = 20  # of the choices, which take turns in choosing the layer and being scored


def evaluate_geometry(
    card: BenchmarkCard,
    assembly: Assembly,
    layers: Layers,
    untrained: Layers | None = None,
    *,
    seed: int = 0,
) -> tuple[Outcome, dict[str, Any]]:
    """Score layers by the geometry of their features.

    Parameters
    ----------
    card : BenchmarkCard
        With the metric ``rsa-spearman`` or ``odd-one-out``.
    assembly : Assembly
        With ``rdms`` or ``triplets``.
    layers : dict of layer to ndarray, shape (stimuli, features)
        Features.
    untrained : dict of layer to ndarray, optional
        Of the untrained twin.
    seed : int
        Of permutations.

    Returns
    -------
    outcome : Outcome
        Its folds are subjects, or twentieths of the choices.
    facts : dict
        For the attributes of the score.

    Raises
    ------
    DataError
        An assembly without matrices or choices, or several layers and one subject.
    """
    by_rdm = card.metrics[0] == "rsa-spearman"
    judge: Any = (_Geometry if by_rdm else _Choices)(card, assembly)
    scores = np.stack([judge(x, None) for x in layers.values()])
    inner, chosen = choose_by_others(scores)
    every = list(layers.values())
    rng = np.random.default_rng(seed)
    # Choices are many, and each draw asks for all of them in every layer.
    n_draws = _DRAWS if by_rdm else max(_FEWEST_DRAWS, _DRAWS * 10 // len(every))
    draws = np.stack([_chance(judge, every, rng) for _ in range(min(n_draws, _DRAWS))])
    rivals = {"permuted": draws.mean(axis=0)}
    plain = _nuisance(card, assembly)
    rivals |= {} if plain is None else {"nuisance": judge(plain, None)}
    extra: dict[str, Any] = {}
    if untrained is not None:
        twin = np.stack([judge(x, None) for x in untrained.values()])
        rivals["untrained"] = twin[chosen, np.arange(len(chosen))]
        extra["untrained_layer_score"] = ("layer", twin.mean(axis=1))
    if by_rdm:
        extra["pooled_layer_score"] = ("layer", [judge.pooled(x) for x in every])
    ceiling, low = _ceilings(card, assembly)
    extra |= {} if np.isnan(low) else {"ceiling_low": low}
    headline = scores[chosen, np.arange(len(chosen))]
    name = "choices" if assembly.rdms is None else str(assembly.rdms.attrs.get("region", "all"))
    outcome = Outcome(
        layers=list(layers),
        scores=scores[..., None],
        inner=inner,
        chosen=chosen,
        units={"unit": ("unit", np.array([name])), "region": ("unit", np.array([name]))},
        ceiling=np.array([ceiling]),
        summary=lambda values: values.mean(axis=-1),
        interval=student(headline, "subjects" if by_rdm else "parts of the choices"),
        baselines={key: rival[:, None] for key, rival in rivals.items()},
        draws=draws.mean(axis=1),
        extra=extra,
    )
    return outcome, _facts(by_rdm, len(chosen), len(every[0]))


def choose_by_others(scores: Array) -> tuple[Array, NDArray[np.intp]]:
    """Choose the layer of each fold by its mean score in the other folds.

    Parameters
    ----------
    scores : ndarray, shape (layers, folds)
        Scores.

    Returns
    -------
    inner : ndarray, shape (layers, folds)
        Mean of the others; NaN with a single layer.
    chosen : ndarray of int, shape (folds,)
        The best layer of each fold.

    Raises
    ------
    DataError
        Several layers and a single fold.

    Examples
    --------
    >>> choose_by_others(np.array([[0.1, 0.9], [0.5, 0.5]]))[1].tolist()
    [0, 1]
    """
    n_layers, n_folds = scores.shape
    if n_layers == 1:
        return np.full(scores.shape, np.nan), np.zeros(n_folds, dtype=np.intp)
    if n_folds == 1:
        raise DataError(
            f"One subject cannot choose among {n_layers} layers without being scored on its own "
            "choice. Give one layer."
        )
    inner = (scores.sum(axis=1, keepdims=True) - scores) / (n_folds - 1)
    return inner, inner.argmax(axis=0)


def odd_one_out_accuracy(similarity: NDArray, triplets: NDArray[np.intp]) -> Array:
    """Say for each choice whether similarities make it: 1, or a share where they tie.

    Parameters
    ----------
    similarity : ndarray, shape (objects, objects)
        How alike objects are.
    triplets : ndarray of int, shape (choices, 3)
        Objects, the odd one last.

    Returns
    -------
    ndarray, shape (choices,)
        1 where the first two are the most similar pair, ½ or ⅓ where that is a tie.

    Examples
    --------
    >>> alike = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]])
    >>> odd_one_out_accuracy(alike, np.array([[0, 1, 2], [0, 2, 1]]))
    array([1., 0.])
    """
    first, second, odd = triplets.T
    pairs = np.stack([similarity[first, second], similarity[first, odd], similarity[second, odd]])
    best = np.isclose(pairs, pairs.max(axis=0), rtol=1e-9, atol=0)
    return np.asarray(best[0] / best.sum(axis=0))


class _Geometry:
    """Compares a layer's dissimilarities with those of each subject, and of their mean."""

    def __init__(self, card: BenchmarkCard, assembly: Assembly) -> None:
        if assembly.rdms is None:
            raise DataError(
                f"{assembly.name} has no dissimilarities, which {card.name} compares with."
            )
        self._order = assembly.stimuli.index.get_indexer(assembly.rdms.indexes["stimulus"])
        self._n = len(self._order)
        data = matrices(np.asarray(assembly.rdms.values), "rdms").vectors
        self._data, self._mean = (embed(v, "spearman", self._n) for v in (data, data.mean(0)[None]))
        self._kept: dict[int, NDArray] = {}

    def __call__(self, x: NDArray, shuffled: NDArray[np.intp] | None) -> Array:
        return self._compare(x, shuffled, self._data)

    def pooled(self, x: NDArray) -> float:
        """Compare with the mean matrix of the subjects, which is less noisy than any."""
        return float(self._compare(x, None, self._mean)[0])

    def _compare(self, x: NDArray, shuffled: NDArray[np.intp] | None, data: Array) -> Array:
        rows, columns = np.triu_indices(self._n, 1)
        order = np.arange(self._n) if shuffled is None else shuffled
        return np.asarray(data @ self._ranks(x)[order[rows], order[columns]])

    def _ranks(self, x: NDArray) -> NDArray:
        # Permutations ask for the same ranks hundreds of times, in another order of stimuli.
        if id(x) not in self._kept:
            model = rsa.rdm(x[self._order].astype(np.float64)).values
            ranks = embed(matrices(model, "features").vectors, "spearman", self._n)
            self._kept[id(x)] = squares(ranks, self._n)[0]
        return self._kept[id(x)]


class _Choices:
    """Says how often features choose as people did, in each part of the choices."""

    def __init__(self, card: BenchmarkCard, assembly: Assembly) -> None:
        if assembly.triplets is None:
            raise DataError(
                f"{assembly.name} has no choices of the odd one out, for {card.name}. They are "
                "published apart from the names of the objects."
            )
        self._triplets = np.asarray(assembly.triplets)
        n = len(self._triplets)
        self._parts = np.array_split(np.arange(n), min(_PARTS, n))
        self._kept: dict[int, NDArray] = {}

    def __call__(self, x: NDArray, shuffled: NDArray[np.intp] | None) -> Array:
        triplets = self._triplets if shuffled is None else shuffled[self._triplets]
        right = odd_one_out_accuracy(self._similarity(x), triplets)
        return np.array([right[part].mean() for part in self._parts])

    def _similarity(self, x: NDArray) -> NDArray:
        # All pairs once are cheaper than the pairs of millions of choices, and permutations
        # only ask for others of them. Uncentred, the mean of all objects would decide.
        if id(x) not in self._kept:
            centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
            self._kept[id(x)] = centred @ centred.T
        return self._kept[id(x)]


def _chance(judge: Any, every: list[NDArray], rng: np.random.Generator) -> Array:
    """Score stimuli that changed places, with the layer chosen anew as for the real ones.

    Subjects share stimuli, so even of layers without relation to them the one that the others
    choose is above zero.
    """
    shuffled = rng.permutation(len(every[0]))
    scores = np.stack([judge(x, shuffled) for x in every])
    chosen = choose_by_others(scores)[1]
    return np.asarray(scores[chosen, np.arange(len(chosen))])


def _nuisance(card: BenchmarkCard, assembly: Assembly) -> NDArray | None:
    if not card.nuisance:
        return None
    if card.nuisance == ["pixels"]:
        from neurokit.alignment.features import vision

        return np.asarray(vision(assembly.images(), "pixels", "pixels").values)
    from neurokit.alignment.benchmarks.plain import letters
    from neurokit.alignment.benchmarks.representations import texts_of

    if card.nuisance == ["letters"]:
        return letters(texts_of(assembly))
    raise UnknownNameError("nuisance feature", card.nuisance[0], ["letters", "pixels"])


def _ceilings(card: BenchmarkCard, assembly: Assembly) -> tuple[float, float]:
    """Return the highest score that the data allow, and what other subjects reach."""
    if card.ceiling.kind == "rdms" and assembly.rdms is not None and len(assembly.rdms) > 1:
        bounds = rsa.noise_ceiling(assembly.rdms, "spearman")
        return float(bounds["upper"]), float(bounds["lower"])
    return (np.nan if card.ceiling.value is None else card.ceiling.value), np.nan


def _facts(by_rdm: bool, n_folds: int, n_stimuli: int) -> dict[str, Any]:
    what = "subjects" if by_rdm else "parts of the choices"
    return {
        "split": f"none is fitted; the layer of each of {n_folds} {what} is chosen by the others",
        "n_presentations": n_stimuli,
        "n_units": 1,
        "leakage": "No regression is fitted. The layer is chosen on the same stimuli, which the "
        "permuted draws do too.",
        "leakage_flagged": 0,
        "chance": CHANCE["rsa-spearman" if by_rdm else "odd-one-out"],
    }
