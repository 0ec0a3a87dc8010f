"""Resting networks of an atlas in one person's run, over all of it and in windows.

The run is cleaned in one regression (detrending, band-pass, confounds together, so that no step
brings back what another took out: Lindquist et al. 2019, Hum. Brain Mapp. 40:2358). The contrast
is the mean correlation of parcel pairs inside a network minus that of pairs across networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.connectivity import dynamic_fc, static_fc
from neurokit.demo import figures
from neurokit.demo.answer import Answer
from neurokit.demo.resampling import block_interval, p_value
from neurokit.errors import DataError

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
LABEL = "correlation inside minus across networks"
BAND = (0.23, 0.27)
CITATIONS = (
    "Schaefer A, et al. (2018). Local-global parcellation of the human cerebral cortex. "
    "Cerebral Cortex 28:3095-3114.",
    "Lindquist MA, et al. (2019). Modular preprocessing pipelines can reintroduce "
    "artifacts into fMRI data. Hum. Brain Mapp. 40:2358-2376.",
    "Alexander-Bloch AF, et al. (2018). On testing for spatial correspondence between "
    "maps of human brain structure and function. NeuroImage 178:540-551.",
    "Allen EA, et al. (2014). Tracking whole-brain connectivity dynamics in the resting "
    "state. Cerebral Cortex 24:663-676.",
)
CODE = """\
import neurokit as nk
from neurokit.demo import resting_network

rec = nk.datasets.load("schaefer-rest")
print(resting_network.run(rec, seed={seed}).value)  # correlation inside minus across networks"""


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
    network, places = _networks(bold), _places(bold)
    before = static_fc(bold[DROP:]).values
    series = clean(bold, rec["confounds"])
    fc = static_fc(series).values
    inside, across = network_contrast(fc, network)
    windows = dynamic_fc(series, WINDOW, STRIDE)
    in_windows = np.array([np.subtract(*network_contrast(w, network)) for w in windows.values])
    spun = _spun_contrasts(fc, network, places, seed)
    shuffled = _shuffled_contrasts(fc, network, seed)
    starts = np.arange(len(series) - BLOCK + 1)
    values = series.values
    n_blocks = len(values) // BLOCK

    def resampled(drawn: np.ndarray) -> float:
        frames = (starts[drawn][:, None] + np.arange(BLOCK)).ravel()
        return float(np.subtract(*network_contrast(static_fc(values[frames]).values, network)))

    return Answer(
        question="Do the networks of the atlas show in one person's resting run?",
        data="schaefer-rest",
        measure=LABEL,
        value=inside - across,
        unit="r",
        interval=block_interval(resampled, len(starts), seed, 500, n_drawn=n_blocks),
        interval_of=f"95 %, moving-block bootstrap of the run, {BLOCK} frames (40 s) a block",
        chance=0.0,
        baseline=("networks rotated on the cortex, mean", float(spun.mean())),
        ceiling=None,
        ceiling_note="none: a true network structure of this person is not known",
        band=BAND,
        n_samples=len(series),
        split="none: nothing is fitted to the networks",
        seed=seed,
        p_value=p_value(inside - across, spun),
        caveat=(
            f"One person and five minutes. Seven networks cover {len(network)} parcels, and "
            "neighbours correlate whatever network they are in, hence the rotated networks. "
            f"A window of {WINDOW} frames holds less than one cycle of the slowest rhythm kept and "
            "five of the fastest, so most of what moves between windows is sampling error."
        ),
        method=_method(rec["confounds"].sizes["variable"]),
        citations=CITATIONS,
        code=CODE.format(seed=seed),
        details={
            "inside networks (r)": inside,
            "across networks (r)": across,
            "inside networks before cleaning (r)": network_contrast(before, network)[0],
            "across networks before cleaning (r)": network_contrast(before, network)[1],
            "97.5 % of rotated networks (r)": float(np.quantile(spun, 0.975)),
            "97.5 % of shuffled labels (r)": float(np.quantile(shuffled, 0.975)),
            "windows": float(len(in_windows)),
            "lowest contrast of a window (r)": float(in_windows.min()),
            "mean contrast of the windows (r)": float(in_windows.mean()),
        },
        figures={
            "Correlations, parcels sorted by network": lambda ax: figures.network_matrix(
                ax, fc, network
            ),
            "Contrast against its nulls": lambda ax: figures.null_distribution(
                ax,
                inside - across,
                {"rotated networks": spun, "shuffled labels": shuffled},
                LABEL,
            ),
            "Contrast in sliding windows": lambda ax: figures.windowed(
                ax, windows["time"].values, in_windows, inside - across, LABEL
            ),
        },
    )


def clean(bold: xr.DataArray, confounds: xr.DataArray) -> xr.DataArray:
    """Drop five frames, detrend, band-pass, and regress motion, CSF and white matter.

    Parameters
    ----------
    bold : xarray.DataArray of shape (time, roi)
        ROI means, with ``sampling_rate`` in Hz.
    confounds : xarray.DataArray of shape (time, variable)
        Nuisance signals of the same frames. Framewise displacement is left out: it is a
        quality measure, a function of the motion regressors that are in.

    Returns
    -------
    xarray.DataArray of shape (time, roi)
        Residuals, z-scored.

    Examples
    --------
    >>> import xarray as xr
    >>> rng = np.random.default_rng(0)
    >>> drift = rng.normal(size=(100, 1)).cumsum(axis=0)
    >>> bold = xr.DataArray(rng.normal(size=(100, 3)) + drift, dims=("time", "roi"),
    ...                     attrs={"sampling_rate": 0.5})
    >>> out = clean(bold, xr.DataArray(drift, dims=("time", "variable")))
    >>> bool(abs(np.corrcoef(out.values[:, 0], drift[5:, 0])[0, 1]) < 0.2)
    True
    """
    from nilearn.signal import clean as regress

    nuisance = np.asarray(confounds, dtype=np.float64)[DROP:]
    if "variable" in confounds.coords:
        names = np.asarray(confounds["variable"], dtype=str)
        nuisance = nuisance[:, names != "framewise_displacement"]
    out = bold[DROP:].astype(np.float64)
    values = regress(
        out.values,
        confounds=nuisance,
        t_r=1 / bold.attrs["sampling_rate"],
        high_pass=PASS_BAND[0],
        low_pass=PASS_BAND[1],
        detrend=True,
        standardize="zscore_sample",
    )
    return out.copy(data=values)


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


def _networks(bold: xr.DataArray) -> np.ndarray:
    if "network" in bold.coords:
        return np.asarray(bold["network"], dtype=str)
    parts = [str(name).split("_") for name in bold["roi"].values]
    if not all(len(p) > 2 for p in parts):
        raise DataError(
            "Expected ROIs with a coordinate 'network' or names of the Schaefer atlas "
            f"(7Networks_LH_Vis_1); got {bold['roi'].values[:3].tolist()}."
        )
    return np.array([p[2] for p in parts])


def _places(bold: xr.DataArray) -> np.ndarray:
    missing = [axis for axis in "xyz" if axis not in bold.coords]
    if missing:
        raise DataError(f"Expected ROI coordinates x, y and z in m; missing: {missing}.")
    return np.stack([np.asarray(bold[axis], dtype=np.float64) for axis in "xyz"], axis=1)


def _shuffled_contrasts(fc: np.ndarray, network: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    draws = (rng.permutation(network) for _ in range(N_NULL))
    return np.array([np.subtract(*network_contrast(fc, labels)) for labels in draws])


def _spun_contrasts(
    fc: np.ndarray, network: np.ndarray, places: np.ndarray, seed: int
) -> np.ndarray:
    """Rotate the parcels' centres on a sphere, mirrored in the other hemisphere.

    Each rotated centre takes the place of one parcel (Markello and Misic 2021, NeuroImage
    236:118052, the assignment by the Hungarian method), so networks keep size and compactness.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.transform import Rotation

    left = places[:, 0] < 0
    halves = [(np.flatnonzero(side), _on_sphere(places[side])) for side in (left, ~left)]
    mirror = np.diag([-1.0, 1.0, 1.0])
    turns = Rotation.from_quat(np.random.default_rng(seed).normal(size=(N_NULL, 4))).as_matrix()
    out = np.empty(N_NULL)
    for i, turn in enumerate(turns):
        labels = network.copy()
        for (members, points), matrix in zip(halves, (turn, mirror @ turn @ mirror), strict=True):
            taker, giver = linear_sum_assignment(-points @ (points @ matrix.T).T)
            labels[members[taker]] = network[members[giver]]
        out[i] = np.subtract(*network_contrast(fc, labels))
    return out


def _on_sphere(points: np.ndarray) -> np.ndarray:
    centred = points - points.mean(axis=0)
    unit: np.ndarray = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return unit


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
