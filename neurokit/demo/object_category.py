"""Eight object categories, named from half a slice of fMRI.

Block averages of detrended and z-scored voxels, named by the classifier that did best among the
training runs: which one is part of what has to be learnt without the run left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from neurokit import plotting, preprocessing
from neurokit.demo.answer import Answer, code
from neurokit.demo.papers import CITATIONS
from neurokit.demo.resampling import block_interval, p_value, upper
from neurokit.demo.selection import CANDIDATES, discriminant, left_out, nested
from neurokit.errors import DataError

if TYPE_CHECKING:
    import xarray as xr

    from neurokit.recording import Recording

__all__ = ["block_patterns", "run"]

N_NULL = 1000
BAND = (0.87, 0.96)


@dataclass(frozen=True)
class _Blocks:
    """Mean pattern (block, voxel), category, run and place in the run of each block."""

    patterns: np.ndarray
    category: np.ndarray
    run: np.ndarray
    place: np.ndarray


def run(rec: Recording, seed: int = 0) -> Answer:
    """Decode the category of each block from the other runs.

    Parameters
    ----------
    rec : Recording
        With ``bold`` (time, voxel) and events that cover it: ``onset``, ``duration``,
        ``trial_type`` (``rest`` or a category) and ``run``.
    seed : int
        Seed of the bootstrap and of the permutations.

    Returns
    -------
    Answer
        The share of blocks that were named correctly.

    Raises
    ------
    DataError
        If the events lack the runs.

    Examples
    --------
    >>> import neurokit as nk
    >>> answer = run(nk.datasets.load("haxby-slice"))
    >>> answer.value > 0.6
    True
    """
    blocks = block_patterns(rec)
    guess, chosen = nested(blocks.patterns, blocks.category, blocks.run)
    hit = guess == blocks.category
    value = float(hit.mean())
    null = _shuffled_hits(guess, blocks, seed)
    rivals = _rivals(blocks)
    runs = np.array([hit[blocks.run == run].mean() for run in np.unique(blocks.run)])
    chance = 1 / len(np.unique(blocks.category))
    return Answer(
        question="Which of eight object categories did the person see?",
        data="haxby-slice",
        measure="share of blocks named correctly",
        value=value,
        unit="share",
        interval=block_interval(lambda drawn: float(runs[drawn].mean()), len(runs), seed),
        interval_of="95 %, bootstrap over runs of one person",
        chance=chance,
        baseline=("place of the block in its run, no brain", rivals["place"]),
        ceiling=None,
        ceiling_note="none: each category is shown once a run, and no other person saw it",
        band=BAND,
        n_samples=len(hit),
        split=f"{len(runs)} folds, one run left out; classifier chosen inside the others",
        seed=seed,
        p_value=p_value(value, null),
        caveat=(
            "One person, half a slice. The order of the categories is not balanced over runs: a "
            f"classifier that sees only the place of a block in its run gets "
            f"{rivals['place']:.2f}, so a part of any score may be drift. The classifier is chosen "
            "inside the training runs, but from a list drawn up when its winner was known to do "
            "well on these data; the simplest of the list, the nearest centroid, gets "
            f"{rivals['centroid']:.2f}."
        ),
        method=_method(blocks.patterns.shape[1]),
        citations=CITATIONS["object_category"],
        code=code("object_category", "haxby-slice", seed),
        details={
            **{f"folds that chose {name}": float(n) for name, n in Counter(chosen).items()},
            "nearest centroid alone (share)": rivals["centroid"],
            "mean signal of the slice alone (share)": rivals["mean signal"],
            "97.5 % of permuted labels (share)": upper(null),
            "lowest run (share)": float(runs.min()),
        },
        figures={
            "Shown and named categories": partial(plotting.confusion, _table(blocks, guess)),
            "Score of each run left out": partial(
                plotting.score_strip,
                runs,
                [f"run {run}" for run in np.unique(blocks.run)],
                chance=chance,
                baseline=rivals["place"],
                label="share of eight blocks named correctly",
            ),
        },
    )


def block_patterns(rec: Recording) -> _Blocks:
    """Detrend and z-score each run, then average the volumes of each block.

    Parameters
    ----------
    rec : Recording
        With ``bold`` (time, voxel), whose voxels that never change are dropped, and one event
        a block, rest included, with its ``run``.

    Returns
    -------
    _Blocks
        One pattern a block of a category.

    Raises
    ------
    DataError
        If a run is not marked, or volumes belong to no event.

    Examples
    --------
    >>> import neurokit as nk, pandas as pd
    >>> events = pd.DataFrame({"onset": [0.0, 2, 4, 6], "duration": 2.0, "run": [1, 1, 2, 2],
    ...                        "trial_type": ["rest", "cat", "rest", "cat"]})
    >>> x = np.random.default_rng(0).normal(size=(8, 3))
    >>> rec = nk.Recording.from_array(x, 1.0, stream="bold", events=events)
    >>> block_patterns(rec).patterns.shape
    (2, 3)
    """
    events = rec.events
    if "run" not in events:
        raise DataError(f"Expected a column 'run' in the events; got {list(events.columns)}.")
    time = rec["bold"]["time"].values
    onset = events["onset"].to_numpy(dtype=float)
    row = np.searchsorted(onset, time + 1e-6, side="right") - 1
    late = time >= onset[row] + events["duration"].to_numpy(dtype=float)[row] - 1e-6
    if (row < 0).any() or late.any():
        raise DataError(
            f"{int((row < 0).sum() + late.sum())} of {len(time)} volumes belong to no event; "
            "their run is unknown. Add rows for rest."
        )
    x = _by_run(rec).astype(np.float64)
    sums = np.zeros((len(events), x.shape[1]))
    np.add.at(sums, row, x)
    patterns = sums / np.bincount(row, minlength=len(events))[:, None]
    shown = (events["trial_type"] != "rest").to_numpy()
    runs = events["run"].to_numpy()[shown]
    place = np.concatenate([np.arange(n) for n in np.unique(runs, return_counts=True)[1]])
    category = events["trial_type"].to_numpy(dtype=str)[shown]
    return _Blocks(patterns[shown], category, runs, place)


def _by_run(rec: Recording) -> np.ndarray:
    """Detrend and z-score each run by itself, blind to the labels."""
    import pandas as pd

    bold = rec["bold"]
    begins = rec.events.groupby("run")["onset"].min()
    joints = pd.DataFrame({"onset": begins, "duration": 0.0, "trial_type": "boundary"})
    split = rec.replace({"bold": bold[:, np.ptp(bold.values, axis=0) > 0]}, joints)
    cleaned = preprocessing.clean_confounds(split, None, standardize=True)
    values: np.ndarray = cleaned["bold"].values
    return values


def _rivals(blocks: _Blocks) -> dict[str, float]:
    named = {
        "place": (discriminant, np.eye(blocks.place.max() + 1)[blocks.place]),
        "mean signal": (discriminant, blocks.patterns.mean(axis=1, keepdims=True)),
        "centroid": (CANDIDATES["nearest centroid"], blocks.patterns),
    }
    return {
        name: float((left_out(how, x, blocks.category, blocks.run) == blocks.category).mean())
        for name, (how, x) in named.items()
    }


def _table(blocks: _Blocks, guess: np.ndarray) -> xr.DataArray:
    """Count the blocks of each category by the name that they were given."""
    import xarray as xr

    kinds = np.unique(blocks.category)
    counts = (blocks.category[:, None] == kinds).T.astype(float) @ (guess[:, None] == kinds)
    return xr.DataArray(counts, {"shown": kinds, "named": kinds}, ("shown", "named"))


def _shuffled_hits(guess: np.ndarray, blocks: _Blocks, seed: int) -> np.ndarray:
    """Score the guesses against categories shuffled inside each run.

    Within a run every order of the categories is equally likely under the null, and neither the
    guesses of a run nor the choice of its classifier saw its labels.
    """
    rng = np.random.default_rng(seed)
    scores = np.zeros(N_NULL)
    for run in np.unique(blocks.run):
        rows = blocks.run == run
        draws = rng.permuted(np.tile(blocks.category[rows], (N_NULL, 1)), axis=1)
        scores += (draws == guess[rows]).sum(axis=1)
    return scores / len(guess)


def _method(n_voxels: int) -> str:
    return (
        f"The {n_voxels} voxels that vary were detrended (linear) and z-scored in each run, blind "
        "to the labels, and averaged over the nine volumes of each block. The eight blocks of "
        f"each run were named by one of {len(CANDIDATES)} classifiers on a list (nearest "
        "centroid, Gaussian naive Bayes, ridge and linear support vectors at four penalties each, "
        "linear discriminant with Ledoit-Wolf shrinkage), trained on the other eleven runs and "
        "chosen by leaving out each of these in turn (nested cross-validation, Varoquaux et al. "
        f"2017). Null: {N_NULL} permutations of the categories inside runs, guesses fixed."
    )
