"""Encoding models: predict each target from features, and score it on held-out samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal

import numpy as np
import scipy.stats
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import ridge
from neurokit.alignment.bands import Bands
from neurokit.alignment.blocks import JOIN, MARKS, check_names, encode_block
from neurokit.alignment.inputs import (
    Coords,
    check_ceiling,
    check_pair,
    open_targets,
    some,
    target_coords,
)
from neurokit.alignment.plans import EncodingPlan, Layers, Settings, make_plan
from neurokit.alignment.splits import Cv
from neurokit.errors import DataError, UnknownNameError
from neurokit.progress import progress_bar
from neurokit.warning import warn

__all__ = ["combine_blocks", "encode", "prepare_encoding"]

Ceiling = float | ArrayLike | xr.DataArray | xr.Dataset


def encode(
    x: ArrayLike | xr.DataArray | Layers,
    y: ArrayLike | xr.DataArray,
    groups: ArrayLike | None = None,
    cv: Cv = 5,
    alphas: ArrayLike | Literal["auto"] = "auto",
    delays: Sequence[int] | None = None,
    bands: Bands | None = None,
    ceiling: Ceiling | None = None,
    *,
    n_weightings: int = 20,
    selection: str = "gcv",
    inner_cv: int = 5,
    gap: int | None = None,
    standardize: bool = True,
    block: int | None = None,
    n_permutations: int = 1000,
    n_bootstraps: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    allow_leakage: bool = False,
    device: str = "auto",
    progress: bool | None = None,
) -> xr.Dataset:
    """Fit cross-validated ridge regression per target and score what it predicts.

    In every fold, features are scaled and penalties chosen with training samples only.

    Parameters
    ----------
    x : array-like or DataArray, shape (samples, features), or mapping of them
        Features. A mapping of names to features, such as the layers of a model, gives a result
        with a dimension ``layer``; what is done with ``y`` alone is then done once.
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Responses; the coordinates of the targets are kept in the result. A DataArray on dask
        or on a file is read block by block, as it is stored.
    groups : array-like, shape (samples,), optional
        Run, story, session or subject of each sample. Groups are held out whole, delays do
        not cross them, and they are the units of the interval.
    cv : int, None, or iterable of (train, test)
        A number of folds: of whole groups with ``groups``, else of contiguous samples.
        ``None`` leaves one group out at a time. Index arrays are used as given.
    alphas : array-like or "auto"
        Penalties, see :class:`~neurokit.alignment.RidgeCV`.
    delays : sequence of int, optional
        Delays in samples at which the features may act, see
        :func:`~neurokit.alignment.delayed`.
    bands : mapping, sequence or str, optional
        Bands of features that are penalised differently (banded ridge regression): columns
        by name, columns alone, or the name of a coordinate of the features, see
        :func:`~neurokit.alignment.bands.band_columns`. Band g has the penalty alpha / gamma_g
        with the weights gamma from the simplex, chosen per target as alpha is.
    ceiling : float, array-like, DataArray or Dataset, optional
        The r-ceiling of each target (not the reliability, its square), or what
        :func:`~neurokit.alignment.noise_ceiling` returns.
    n_weightings : int
        How many weightings of the bands are tried (random search, seeded by ``seed``).
    selection : {"gcv", "loo", "kfold", "hybrid"}
        How penalties are chosen, see :class:`~neurokit.alignment.RidgeCV`. The inner folds
        of the last two hold out whole groups where the training set has two or more.
    inner_cv : int
        Number of inner folds, or of training groups where there are fewer.
    gap : int, optional
        Samples dropped from the training set on both sides of a contiguous test block. By
        default the longest delay.
    standardize : bool
        Whether to z-score features with the training mean and standard deviation.
    block : int, optional
        Block length in samples. With it, permutations exchange blocks; without it they
        rotate predictions, in both cases within the groups of a test set, or over the whole
        test set where groups are shorter than 8 samples, and for targets which, or whose
        predictions, are constant in each.
        Also the unit of the interval when there are no groups, by default a twentieth of
        the samples.
    n_permutations, n_bootstraps : int
        Number of permutations and of bootstrap resamples; 0 leaves their variables out.
    confidence : float
        Coverage of the interval.
    seed : int
        Of permutations and bootstrap.
    allow_leakage : bool
        Accept folds in which delayed training rows contain test samples.
    device : {"auto", "cpu", "cuda", "mps"}
        Where ridge regression is computed. ``"auto"`` takes an accelerator where there is one.
    progress : bool, optional
        Show a progress bar over blocks of targets.

    Returns
    -------
    Dataset
        Over ``target`` (with layers over ``layer`` and ``target``): ``r`` and ``R2``, the means
        over folds of the correlation and of the R2 against the training mean; ``p`` (one-sided
        permutation), ``q`` (Benjamini–Hochberg over targets), ``r_low`` and ``r_high``
        (bootstrap over units); with a ceiling ``ceiling`` and ``r_normalised`` = r / ceiling.
        Over ``fold`` and ``target``: ``r_fold``, ``R2_fold``, ``alpha``; with bands ``gamma``
        over ``fold``, ``band`` and ``target``. Attributes say how it was made.

    Raises
    ------
    DataError
        Inputs that do not fit together, missing values, features that are all constant,
        folds with too few samples, or delays that leak across folds.
    UnknownNameError
        A selection or device that does not exist.

    Warns
    -----
    UserWarning
        Features constant in a training set (they get weight zero there), constant targets
        (r = 0), or 5 % or more of the penalties on an edge of the grid.

    Notes
    -----
    Models are fitted once: permutations and resamples move finished predictions. Folds that
    train each other share errors which that would miss, so both the null distribution and
    the interval are widened by :func:`~neurokit.alignment.statistics.fold_inflation`.

    Precision follows the inputs: with ``x`` and ``y`` both float32, matrix products are single,
    and twice as fast; else everything is double. Targets are done in blocks, one after the
    other, so that beyond ``x`` and ``y`` memory holds the decomposed folds and one block. The
    pieces are there to be distributed: :func:`prepare_encoding`, then
    :func:`~neurokit.alignment.encode_block` for any blocks in any place, then
    :func:`combine_blocks`.

    A thousand rotations, by Fourier transforms, cost about 20 ns per sample and target in single
    precision on one thread, as much as the intervals; a thousand exchanges of blocks
    (``block=``), which are done one by one, about a hundred times that.

    Of a mapping of layers the decomposed folds of all are held at once, each about twice the
    size of its features and more with inner folds: give many large layers a few at a time.

    Bands are those of Dupré la Tour et al. 2022 (NeuroImage 264:119728, section 2), with their
    random search: each weighting scales the features and takes one eigendecomposition.

    Where targets and features are slow, rotations are few and training samples beside a test
    block resemble it: give a ``gap`` as long as the autocorrelation, and use many such lengths.
    Of 300 samples, a nominal 5 % of false positives is 4 % at a correlation of .9 between
    neighbours and 8 to 10 % at .99 and for random walks.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 4))
    >>> y = x[:, :2] + rng.standard_normal((300, 2))
    >>> result = encode(x, y, alphas=[1.0, 10.0], n_permutations=99)
    >>> result.r.values.round(1), float(result.p.max())
    (array([0.7, 0.7]), 0.01)
    """
    targets = open_targets(y)
    for one in x.values() if isinstance(x, Mapping) else [x]:
        check_pair(one, targets)
    check_names(targets.coords)
    if ceiling is not None:
        check_ceiling(ceiling, targets.coords, len(targets.names))
    if isinstance(targets.values, np.ndarray):
        targets.read(slice(None))
    settings = Settings(
        cv=cv,
        alphas=alphas,
        delays=delays,
        bands=bands,
        n_weightings=n_weightings,
        selection=selection,
        inner_cv=inner_cv,
        gap=gap,
        standardize=standardize,
        block=block,
        n_permutations=n_permutations,
        n_bootstraps=n_bootstraps,
        confidence=confidence,
        seed=seed,
        allow_leakage=allow_leakage,
        device=device,
    )
    plan = make_plan(x, groups, settings, single=targets.single)
    # With bands every call decomposes anew, so that all that is stored together is one block.
    parts = targets.parts(None if plan.bands else ridge.TARGET_BLOCK)
    blocks = [
        encode_block(plan, targets.read(part))
        for part in progress_bar(parts, enabled=progress, desc="encode", unit="block")
    ]
    result, notes = _combine(plan, blocks, targets.coords, ceiling)
    for note in [*plan.notes, *notes]:
        warn(note)
    return result


def prepare_encoding(
    x: ArrayLike | xr.DataArray | Layers, groups: ArrayLike | None = None, **settings: Any
) -> EncodingPlan:
    """Do the work of :func:`encode` that does not depend on the targets.

    Parameters
    ----------
    x : array-like or DataArray, shape (samples, features), or mapping of them
        Features, or layers of them. Those in single precision are computed in it.
    groups : array-like, shape (samples,), optional
        Run, story, session or subject of each sample.
    **settings
        Arguments of :func:`encode` of the same names: ``cv`` to ``allow_leakage``, and ``device``.

    Returns
    -------
    EncodingPlan
        For :func:`~neurokit.alignment.encode_block`. It can be sent to other processes. Of each
        fold it holds the test samples and the training samples on the basis of the
        eigenvectors: samples x min(samples, features) numbers, and as many again, a little
        smaller, for each inner fold.

    Raises
    ------
    UnknownNameError
        A setting, selection or device that does not exist.
    DataError
        As :func:`encode`.

    Warns
    -----
    UserWarning
        Features constant in a training set.

    Examples
    --------
    >>> plan = prepare_encoding(np.random.default_rng(0).standard_normal((60, 4)), cv=3)
    >>> plan.attrs["n_features"], len(plan.folds)
    (4, 3)
    """
    names = [field.name for field in fields(Settings)]
    unknown = sorted(set(settings) - set(names))
    if unknown:
        raise UnknownNameError("setting", unknown[0], names)
    plan = make_plan(x, groups, Settings(**settings))
    for note in plan.notes:
        warn(note)
    return plan


def combine_blocks(
    plan: EncodingPlan, blocks: Iterable[xr.Dataset], ceiling: Ceiling | None = None
) -> xr.Dataset:
    """Put blocks of targets together, and add what needs all of them.

    Parameters
    ----------
    plan : EncodingPlan
        From :func:`prepare_encoding`.
    blocks : iterable of Dataset
        From :func:`~neurokit.alignment.encode_block`, all of them, in the order of the targets.
    ceiling : float, array-like, DataArray or Dataset, optional
        As for :func:`encode`.

    Returns
    -------
    Dataset
        The same as :func:`encode` of all targets.

    Raises
    ------
    DataError
        No blocks, or a ceiling that does not fit.

    Warns
    -----
    UserWarning
        Constant targets, or penalties on an edge of the grid.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((60, 3)), rng.standard_normal((60, 2))
    >>> plan = prepare_encoding(x, alphas=[10.0, 100.0], n_permutations=9, n_bootstraps=9)
    >>> apart = combine_blocks(plan, [encode_block(plan, y[:, [k]]) for k in (0, 1)])
    >>> whole = encode(x, y, alphas=[10.0, 100.0], n_permutations=9, n_bootstraps=9)
    >>> bool(np.allclose(apart.q, whole.q))
    True
    """
    result, notes = _combine(plan, list(blocks), {}, ceiling)
    for note in notes:
        warn(note)
    return result


def _combine(
    plan: EncodingPlan, blocks: list[xr.Dataset], coords: Coords, ceiling: Ceiling | None
) -> tuple[xr.Dataset, list[str]]:
    """Put blocks together, and return what the user should know with them."""
    if not blocks:
        raise DataError("Expected one block of targets or more to combine; got none.")
    result = blocks[0] if len(blocks) == 1 else xr.concat(blocks, dim="target", **JOIN)
    result = result.assign_coords(coords)
    notes = _notes(result)
    if "p" in result:
        result["q"] = result["p"].copy(data=_false_discovery(result["p"].values))
    if ceiling is not None:
        limit = check_ceiling(ceiling, target_coords(result["r"]), result.sizes["target"])
        result["ceiling"] = ("target", np.array(limit))
        result["r_normalised"] = result["r"] / np.where(limit > 0, limit, np.nan)
    marks = [name for name in MARKS if name in result]
    moves = _moves(plan, result)
    result = result.drop_vars(marks)
    first = ("r", "R2", "p", "q", "r_low", "r_high")
    order = [name for name in first if name in result]
    result = result[[*order, *(str(name) for name in result.data_vars if name not in first)]]
    result.attrs = {**plan.attrs, "permutation": moves}
    return result, notes


def _false_discovery(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Control the false discovery rate over targets, the last dimension."""
    return np.asarray(scipy.stats.false_discovery_control(p, axis=-1))


def _moves(plan: EncodingPlan, result: xr.Dataset) -> str:
    """Say in words what a permutation does."""
    block = plan.settings.block
    across = result["across"].values if "across" in result else np.ones(1, dtype=bool)
    what = "rotation" if block is None else f"exchange of blocks of {block} samples"
    some_of = f", of {across.sum()} targets within test folds" if across.any() else ""
    return f"{what} within " + ("test folds" if across.all() else f"groups{some_of}")


def _notes(result: xr.Dataset) -> list[str]:
    """Say once, over all folds and layers, what the user should know."""
    notes = []
    flat = result["flat"].values
    flat = np.flatnonzero(flat if flat.ndim == 1 else flat.any(axis=0))
    if flat.size:
        labels = result["target"].values if "target" in result.coords else range(flat.max() + 1)
        listed = some([labels[k] for k in flat])
        notes.append(f"Constant targets cannot be predicted (r = 0): {listed}.")
    # The marks are a grid of three: below, inside, above.
    edge = ridge.edge_message([result["edge"].values.ravel().astype(np.intp) + 1], 3)
    return [*notes, edge] if edge else notes
