"""MEG of four people seeing 22,448 photographs of objects (THINGS-MEG, Hebart 2023)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import known, number, positive
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import averaged, response_array
from neurokit.datasets.assemblies.files import find_all, one_of
from neurokit.errors import DataError, ReadError

__all__ = ["read_things_meg"]

_KINDS = {"test": "test", "train": "exp"}
# CTF names a sensor by hemisphere and lobe: MLO11 is left occipital.
_LOBES = {"O": "occipital", "T": "temporal", "P": "parietal", "F": "frontal", "C": "central"}
_BLOCK = 500


def read_things_meg(
    path: str | Path,
    *,
    subject: str | None = None,
    trials: str = "test",
    window: tuple[float, float] = (0.1, 0.3),
    width: float | None = None,
) -> Assembly:
    """Read the preprocessed epochs of one person, averaged over stretches of time.

    Parameters
    ----------
    path : path
        ``preprocessed_P1-epo.fif`` (and its continuations ``-epo-1.fif`` …), or a folder above
        it, such as ds004212 with ``derivatives/preprocessed``. The epochs' table has
        ``trial_type`` (``exp``, ``test`` or ``catch``), ``things_image_nr``,
        ``things_category_nr`` and, where the file has it, ``image_path``. So the authors'
        preprocessing (ViCCo-Group/THINGS-data).
    subject : str, optional
        ``P1`` to ``P4``, where there are several.
    trials : {"test", "train"}
        The 200 pictures shown twelve times, or the 22,248 shown once.
    window : tuple of float
        Seconds from the picture's onset.
    width : float, optional
        Seconds of each stretch; by default the whole window is one.

    Returns
    -------
    Assembly
        A presentation a picture; a neuroid a sensor and stretch, with ``channel``, ``time`` (s,
        its middle), ``region`` (the lobe that the sensor's name tells) and ``x y z`` (m). Of
        the test pictures the mean, with ``repeats``. Units are those of the file: deviations
        of the baseline.

    Raises
    ------
    ReadError
        If files are missing, or the epochs have no such table.
    DataError
        If the window lies outside of the epochs, or holds no stretch.

    Notes
    -----
    That ``image_path`` is among the columns could not be confirmed; without it pictures are
    told by their number.

    Examples
    --------
    >>> read_things_meg(".")
    Traceback (most recent call last):
    neurokit.errors.ReadError: .: expected epochs (**/preprocessed_P*-epo.fif); there is none.
    """
    known("trials", trials, _KINDS)
    root = Path(path)
    files = find_all(root, "**/preprocessed_P*-epo.fif", "epochs")
    by_name = {f.name.removeprefix("preprocessed_").partition("-")[0]: f for f in files}
    who = one_of("subject", subject, list(by_name))
    file = by_name[who]
    epochs = _opened(file)
    table = epochs.metadata
    rows = np.flatnonzero((table["trial_type"] == _KINDS[trials]).to_numpy())
    if not rows.size:
        raise ReadError(f"{file.name}: no trial is of type {_KINDS[trials]!r}.")
    samples = _stretches(file, np.asarray(epochs.times), window, width)
    ids, kinds = _pictures(table.iloc[rows])
    values = np.concatenate(
        [_means(epochs, rows[i : i + _BLOCK], samples) for i in range(0, rows.size, _BLOCK)]
    )
    names, mean, repeats = averaged(values, ids)
    middle = [float(np.mean(epochs.times[part])) for part in samples]
    responses = response_array(mean, {"stimulus_id": names}, _neuroids(epochs, who, middle))
    stimuli = pd.DataFrame({"category": kinds}, index=ids)
    single = xr.DataArray(repeats, dims=("repeat", "presentation", "neuroid"))
    return Assembly(
        "things-meg",
        responses,
        stimuli[~stimuli.index.duplicated()],
        repeats=single if len(repeats) > 1 else None,
        meta={"trials": trials, "window": [float(w) for w in window]},
    )


def _opened(file: Path) -> Any:
    import mne

    try:
        with _quiet():
            epochs = mne.read_epochs(file, preload=False, verbose="ERROR")
    except Exception as error:
        # MNE raises anything on damaged files.
        raise ReadError(f"{file.name}: cannot be read as epochs: {error}.") from error
    if epochs.metadata is None or "trial_type" not in epochs.metadata:
        raise ReadError(f"{file.name}: expected epochs with a table that has trial_type.")
    return epochs


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MNE's own calls of old pandas from warning its users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _stretches(
    file: Path, times: np.ndarray, window: tuple[float, float], width: float | None
) -> list[np.ndarray]:
    first, last = (number("window (s)", w) for w in window)
    step = last - first if width is None else positive("width (s)", width)
    # A thousandth of a sample, because decimated times are rounded.
    slack = 1e-3 * float(np.diff(times).min(initial=1.0))
    if first < times[0] - slack or last > times[-1] + slack or last <= first:
        raise DataError(
            f"{file.name}: epochs last from {times[0]:g} to {times[-1]:g} s; got the window "
            f"{first:g} to {last:g} s."
        )
    starts = first + step * np.arange(int((last - first) / step + 1e-9))
    found = [np.flatnonzero((times >= a - slack) & (times < a + step - slack)) for a in starts]
    if not found or not all(part.size for part in found):
        raise DataError(
            f"{file.name}: stretches of {step:g} s hold no sample. Give a longer width."
        )
    return found


def _means(epochs: Any, rows: np.ndarray, samples: list[np.ndarray]) -> np.ndarray:
    with _quiet():
        data = epochs[rows].get_data(verbose="ERROR")
    parts = [data[:, :, part].mean(axis=2) for part in samples]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _pictures(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    if "image_path" in table:
        paths = [Path(str(p)) for p in table["image_path"]]
        # Test pictures lie together; their names are those of their concepts with a number.
        return [p.name for p in paths], [re.sub(r"_\d+\w*$", "", p.stem) for p in paths]
    numbers = [str(int(n)) for n in table["things_image_nr"]]
    return numbers, [str(int(n)) for n in table["things_category_nr"]]


def _neuroids(epochs: Any, who: str, middle: list[float]) -> dict[str, Any]:
    channels = [str(c) for c in epochs.ch_names]
    places = np.array([ch["loc"][:3] for ch in epochs.info["chs"]])
    n = len(middle)
    return {
        "neuroid_id": [f"{who}.{c}.{t:.4f}" for t in middle for c in channels],
        "channel": channels * n,
        "region": [_LOBES.get(c[2:3], "") for c in channels] * n,
        "subject": who,
        "time": np.repeat(middle, len(channels)),
        **dict(zip("xyz", np.tile(places, (n, 1)).T, strict=True)),
    }
