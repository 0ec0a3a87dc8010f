"""Word-reading sEEG of the Du-IN project: one recording a run, one event a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from neurokit.arguments import name_list, path_of
from neurokit.datasets.array_files import Arrays, load_npz
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.progress import progress_bar
from neurokit.recording import Recording

__all__ = ["SAMPLING_RATE", "read_word_reading"]

#: Of the released trials, in Hz; they last from 0.5 s before the word to 2.5 s after it.
SAMPLING_RATE = 1000.0
_ONSET = 0.5

_TASK = "word-recitation"
_ARRAYS = "data.npz"
_PICKLE = "data"
_SUBJECT = re.compile(r"^\d{3}$")
_CONVERSION = (
    "np.savez(folder / 'data.npz', x=np.stack([t.data_s for t in data]), "
    "words=[t.name for t in data], channels=info.ch_names)"
)


def read_word_reading(
    root: str | Path,
    *,
    subject: str | Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
) -> list[Recording]:
    """Read the word-reading set of Du-IN (Zheng et al. 2024, arXiv 2405.11459).

    The authors give each run as Python pickles, ``data`` and ``info``, in
    ``<subject>/word-recitation/<run>/dataset.bipolar.default.aligned``. A pickle can run any
    code when it is opened, so they are not read here: convert them once to ``data.npz`` in the
    same folder, with the arrays ``x`` (trial, channel, time), ``words`` and ``channels``.

    Parameters
    ----------
    root : path
        The folder with the subjects, ``001`` to ``012``, or any folder above or below.
    subject : str or sequence of str, optional
        Only these.
    channels : sequence of str, optional
        Bipolar channels to keep, in this order, such as the ten in speech regions that the paper
        uses for each subject; by default all.

    Returns
    -------
    list of Recording
        One a run: ``ieeg`` (trials end to end, 1,000 Hz, arbitrary unit), and an event a word
        with its trial's onset and duration (s), ``trial_type`` (the word), ``word_onset`` (s) and
        ``trial``, and an event ``boundary`` where trials join, so that no window reaches over two.

    Raises
    ------
    ReadError
        If a run is still a pickle, or holds other arrays.
    DataError
        If trials, words and channels differ in number.
    UnknownNameError
        If a subject or channel does not exist.

    Examples
    --------
    >>> place = Path("seeg.he2023xuanwu/001/word-recitation/run1/dataset.bipolar.default.aligned")
    >>> place.mkdir(parents=True)
    >>> x = np.random.default_rng(0).normal(size=(3, 2, 3000)).astype("float32")
    >>> words, channels = ["tree", "sun", "tree"], ["A1-A2", "B1-B2"]
    >>> np.savez(place / "data.npz", x=x, words=words, channels=channels)
    >>> rec = read_word_reading("seeg.he2023xuanwu", subject="001")[0]
    >>> rec["ieeg"].shape, rec.events.query("trial_type == 'tree'")["word_onset"].tolist()
    ((9000, 2), [0.5, 6.5])
    """
    root = path_of("root", root).expanduser()
    runs = _chosen(_runs(root), subject)
    chosen = None if channels is None else name_list("channels", channels)
    return [
        _recording(folder, name, chosen)
        for folder, name in progress_bar(runs, desc="reading words", unit="run")
    ]


def _runs(root: Path) -> list[tuple[Path, str]]:
    """Find the folder of each run's trials, and whose it is."""
    if not root.is_dir():
        raise ReadError(f"There is no folder {root}.")
    folders = sorted({p.parent for name in (_ARRAYS, _PICKLE) for p in root.rglob(name)})
    runs = [(folder, name) for folder in folders if (name := _owner(folder)) is not None]
    if not runs:
        raise ReadError(
            f"{root}: expected runs in 001/{_TASK}/run1/dataset.bipolar.default.aligned; there "
            "are none."
        )
    return runs


def _owner(folder: Path) -> str | None:
    """Return the subject that a run's folder lies in; None if it is no run."""
    parts = folder.parts
    places = [i for i, part in enumerate(parts) if part == _TASK and i]
    return parts[places[-1] - 1] if places and _SUBJECT.match(parts[places[-1] - 1]) else None


def _chosen(
    runs: list[tuple[Path, str]], subject: str | Sequence[str] | None
) -> list[tuple[Path, str]]:
    if subject is None:
        return runs
    wanted = [subject] if isinstance(subject, str) else [str(name) for name in subject]
    there = sorted({name for _, name in runs})
    for name in wanted:
        if name not in there:
            raise UnknownNameError("subject", name, there)
    return [run for run in runs if run[1] in wanted]


def _recording(folder: Path, subject: str, channels: list[str] | None) -> Recording:
    path = folder / _ARRAYS
    if not path.is_file():
        raise ReadError(
            f"{folder / _PICKLE} is a Python pickle, which can run any code when it is opened; it "
            "is not read. Convert it once where you trust it, with data and info loaded by the "
            f"authors' own script: {_CONVERSION}"
        )
    x, words, names = _arrays(load_npz(path), path)
    if channels is not None:
        for name in channels:
            if name not in names:
                raise UnknownNameError(f"channel of subject {subject}", name, names)
        x, names = x[:, [names.index(name) for name in channels]], channels
    n_trials, _, n_samples = x.shape
    rec = Recording.from_array(
        x.transpose(0, 2, 1).reshape(n_trials * n_samples, -1),
        SAMPLING_RATE,
        names,
        stream="ieeg",
        units="a.u.",
        events=_events(words, n_samples / SAMPLING_RATE),
    )
    run = folder.parts[folder.parts.index(_TASK, len(folder.parts) - 3) + 1]
    return rec.replace(meta={"subject": subject, "run": run, "task": _TASK})


def _arrays(arrays: Arrays, path: Path) -> tuple[np.ndarray, list[str], list[str]]:
    """Return trials (trial, channel, time), their words and the channels' names."""
    x = np.asarray(arrays["x"], dtype=np.float32)
    words = [str(word) for word in np.ravel(arrays["words"])]
    names = [str(name) for name in np.ravel(arrays["channels"])]
    if x.ndim != 3 or x.shape[:2] != (len(words), len(names)) or not x.size:
        raise DataError(
            f"{path}: x has shape {x.shape} beside {len(words)} words and {len(names)} channels; "
            "expected (trial, channel, time)."
        )
    return x, words, names


def _events(words: list[str], seconds: float) -> pd.DataFrame:
    onset = np.arange(len(words)) * seconds
    trials = pd.DataFrame({"onset": onset, "duration": seconds, "trial_type": words})
    trials = trials.assign(word_onset=onset + _ONSET, trial=np.arange(len(words)))
    joints = pd.DataFrame({"onset": onset[1:], "duration": 0.0, "trial_type": "boundary"})
    return pd.concat([trials, joints], ignore_index=True).sort_values("onset", kind="stable")
