"""Resting networks of an atlas in one person's run, over all of it and in windows.

The run is cleaned in one regression (detrending, band-pass, confounds together, so that no step
brings back what another took out: Lindquist et al. 2019, Hum. Brain Mapp. 40:2358). The contrast
is the mean correlation of parcel pairs inside a network minus that of pairs across networks.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from neurokit import plotting, preprocessing
from neurokit.connectivity import dynamic_fc, static_fc
from neurokit.demo.answer import Answer, code
from neurokit.demo.papers import CITATIONS
from neurokit.demo.places import networks, positions, rotated_labels
from neurokit.demo.resampling import block_interval, p_value, upper

if TYPE_CHECKING:
    import xarray as xr

    from neurokit.recording import Recording

__all__ = ["clean", "network_contrast", "run"]

DROP = 5
PASS_BAND = (0.01, 0.08)
BLOCK = 20
WINDOW = 30
STRIDE = 5
N_NULL = 1000
N_RESAMPLES = 1000
ROTATED = "rotated networks"
LABEL = "correlation inside minus across networks"
BAND = (0.23, 0.27)


def run(rec: Recording, seed: int = 0) -> Answer:
    """Compare correlations inside and across the networks of the atlas.

    Parameters
    ----------
    rec : Recording
        With ``bold`` (time, roi), whose ROIs have a ``network`` or names of the Schaefer
        atlas and ``x``, ``y``, ``z`` in m, and ``confounds`` (time, variable).
    seed : int
        Seed of the bootstrap and of the nulls.

    Returns
    -------
    Answer
        The contrast inside minus across, as a difference of correlations.

    Raises
    ------
    DataError
        If the confounds, the networks or the coordinates are missing.

    Examples
    --------
    >>> import neurokit as nk
    >>> answer = run(nk.datasets.load("schaefer-rest"))
    >>> answer.details["inside networks (r)"]
    0.325...
    """
    bold = rec["bold"]
    network = networks(bold)
    series = clean(rec)["bold"]
    fc = static_fc(series)
    inside, across = network_contrast(fc.values, network)
    before = network_contrast(static_fc(bold[DROP:]).values, network)
    windows = _in_windows(series, network)
    nulls = _nulls(fc.values, network, positions(bold), seed)
    value = inside - across
    return Answer(
        question="Do the networks of the atlas show in one person's resting run?",
        data="schaefer-rest",
        measure=LABEL,
        value=value,
        unit="r",
        interval=_interval(series.values, network, seed),
        interval_of=f"95 %, moving-block bootstrap of the run, {BLOCK} frames (40 s) a block",
        chance=0.0,
        baseline=("networks rotated on the cortex, mean", float(nulls[ROTATED].mean())),
        ceiling=None,
        ceiling_note="none: a true network structure of this person is not known",
        band=BAND,
        n_samples=len(series),
        split="none: nothing is fitted to the networks",
        seed=seed,
        p_value=p_value(value, nulls[ROTATED]),
        caveat=(
            f"One person and five minutes. Seven networks cover {len(network)} parcels, and "
            "neighbours correlate whatever network they are in, hence the rotated networks. "
            f"A window of {WINDOW} frames holds less than one cycle of the slowest rhythm kept and "
            "five of the fastest, so most of what moves between windows is sampling error."
        ),
        method=_method(rec["confounds"].sizes["variable"]),
        citations=CITATIONS["resting_network"],
        code=code("resting_network", "schaefer-rest", seed),
        details={
            "inside networks (r)": inside,
            "across networks (r)": across,
            "inside networks before cleaning (r)": before[0],
            "across networks before cleaning (r)": before[1],
            **{f"97.5 % of {name} (r)": upper(null) for name, null in nulls.items()},
            "windows": float(len(windows)),
            "lowest contrast of a window (r)": float(windows.min()),
            "mean contrast of the windows (r)": float(windows.mean()),
        },
        figures={
            "Correlations, parcels sorted by network": partial(
                plotting.connectivity_matrix,
                fc.assign_coords(network=(fc.dims[0], network)).rename("correlation"),
            ),
            "Contrast against its nulls": partial(
                plotting.null_distribution, value, nulls, label=LABEL
            ),
            "Contrast in sliding windows": partial(
                plotting.time_courses,
                windows.expand_dims(condition=["windows"]),
                None,
                None,
                levels={"chance": 0.0, "whole run": value},
            ),
        },
    )


def clean(rec: Recording) -> Recording:
    """Drop five frames, detrend, band-pass, and regress motion, CSF and white matter.

    Parameters
    ----------
    rec : Recording
        With ``bold`` (time, roi) and ``confounds`` (time, variable). Framewise displacement is
        left out: it is a quality measure, a function of the motion regressors that are in.

    Returns
    -------
    Recording
        With the residuals, z-scored, as ``bold``.

    Raises
    ------
    DataError
        If the confounds do not fit the run.

    Examples
    --------
    >>> import neurokit as nk
    >>> cleaned = clean(nk.datasets.load("schaefer-rest"))
    >>> cleaned["bold"].sizes["time"], cleaned["bold"].attrs["units"]
    (145, 'z')
    """
    names = [str(name) for name in rec["confounds"]["variable"].values]
    return preprocessing.clean_confounds(
        rec.crop(float(rec["bold"]["time"][DROP])),
        variables=[name for name in names if name != "framewise_displacement"],
        high_pass=PASS_BAND[0],
        low_pass=PASS_BAND[1],
        standardize=True,
    )


def network_contrast(fc: np.ndarray, network: np.ndarray) -> tuple[float, float]:
    """Average the correlations of pairs inside networks and of pairs across them.

    Parameters
    ----------
    fc : numpy.ndarray of shape (roi, roi)
        Correlations.
    network : numpy.ndarray of shape (roi,)
        Network of each ROI.

    Returns
    -------
    tuple of float
        Mean inside, mean across.

    Examples
    --------
    >>> fc = np.array([[1.0, 0.6, 0.1], [0.6, 1.0, 0.3], [0.1, 0.3, 1.0]])
    >>> network_contrast(fc, np.array(["a", "a", "b"]))
    (0.6, 0.2)
    """
    pairs = np.triu_indices(len(fc), 1)
    same = (network[:, None] == network)[pairs]
    return float(fc[pairs][same].mean()), float(fc[pairs][~same].mean())


def _contrast(fc: np.ndarray, network: np.ndarray) -> float:
    return float(np.subtract(*network_contrast(fc, network)))


def _in_windows(series: xr.DataArray, network: np.ndarray) -> xr.DataArray:
    windows = dynamic_fc(series, WINDOW, STRIDE).swap_dims(window="time")
    contrast = [_contrast(window, network) for window in windows.values]
    return windows["time"].copy(data=contrast).rename("inside minus across, r")


def _interval(values: np.ndarray, network: np.ndarray, seed: int) -> tuple[float, float]:
    n_starts = len(values) - BLOCK + 1

    def resampled(starts: np.ndarray) -> float:
        frames = (starts[:, None] + np.arange(BLOCK)).ravel()
        return _contrast(static_fc(values[frames]).values, network)

    return block_interval(resampled, n_starts, seed, N_RESAMPLES, n_drawn=len(values) // BLOCK)


def _nulls(
    fc: np.ndarray, network: np.ndarray, places: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    rotated = rotated_labels(network, places, N_NULL, seed)
    shuffled = (rng.permutation(network) for _ in range(N_NULL))
    return {
        ROTATED: np.array([_contrast(fc, labels) for labels in rotated]),
        "shuffled labels": np.array([_contrast(fc, labels) for labels in shuffled]),
    }


def _method(n_confounds: int) -> str:
    return (
        f"Parcel means (Schaefer 2018, 100 parcels, 7 networks) lost their first {DROP} frames "
        f"and were cleaned in one regression: linear trend, band-pass {PASS_BAND[0]} to "
        f"{PASS_BAND[1]} Hz, twelve motion terms, CSF and white matter ({n_confounds} columns "
        "less framewise displacement). Pearson correlations inside networks were compared with "
        f"those across, over the run and in windows of {WINDOW} frames every {STRIDE}. Null: "
        f"{N_NULL} random rotations of the parcels on each hemisphere's sphere "
        "(Alexander-Bloch et al. 2018); shuffled labels are reported beside it."
    )
