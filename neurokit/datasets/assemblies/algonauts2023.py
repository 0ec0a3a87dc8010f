"""The Algonauts 2023 challenge: responses of visual cortex to natural scenes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from neurokit.datasets.array_files import load_npy
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import finite_neuroids, response_array
from neurokit.datasets.assemblies.files import find_all, one_of
from neurokit.errors import ReadError, UnknownNameError

__all__ = ["read_algonauts2023"]

# The challenge keeps these names in pickled dictionaries, mapping_<class>.npy, which are not read.
_CLASSES: dict[str, tuple[str, ...]] = {
    "prf-visualrois": ("V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"),
    "floc-bodies": ("EBA", "FBA-1", "FBA-2", "mTL-bodies"),
    "floc-faces": ("OFA", "FFA-1", "FFA-2", "mTL-faces", "aTL-faces"),
    "floc-places": ("OPA", "PPA", "RSC"),
    "floc-words": ("OWFA", "VWFA-1", "VWFA-2", "mfs-words", "mTL-words"),
    "streams": (
        "early", "midventral", "midlateral", "midparietal", "ventral", "lateral", "parietal",
    ),
}  # fmt: skip
_NAME = re.compile(r"train-(\d+)_nsd-(\d+)\.png")


def read_algonauts2023(
    path: str | Path,
    *,
    subject: str | None = None,
    regions: str = "streams",
    region: str | None = None,
) -> Assembly:
    """Read the training responses of one person.

    Parameters
    ----------
    path : path
        Folder ``subj01``, or the folder of all eight:
        ``training_split/training_fmri/lh_training_fmri.npy`` and ``rh_…`` (picture, vertex),
        ``training_split/training_images/train-0001_nsd-00013.png`` and so on,
        ``roi_masks/lh.streams_challenge_space.npy`` and so on. So the challenge's tutorial
        (gifale95/algonauts_2023).
    subject : str, optional
        ``subj01`` to ``subj08``, where there are several.
    regions : str
        Which division names the vertices: ``streams``, ``prf-visualrois``, ``floc-bodies``,
        ``floc-faces``, ``floc-places`` or ``floc-words``. Vertices outside are named "".
    region : str, optional
        Keep the vertices of one region of that division.

    Returns
    -------
    Assembly
        A presentation a picture, whose ``image`` is its file; the responses are published as
        the mean of its repeats, standardised within session. ``hemisphere`` is ``L`` or ``R``.

    Raises
    ------
    ReadError
        If files are missing, or pictures and responses differ in number.
    UnknownNameError
        If there is no such subject, division or region.

    Examples
    --------
    >>> split = Path("subj01/training_split")
    >>> (split / "training_images").mkdir(parents=True)
    >>> (split / "training_images" / "train-0001_nsd-00013.png").touch()
    >>> (split / "training_fmri").mkdir()
    >>> for side in ("lh", "rh"):
    ...     np.save(split / "training_fmri" / f"{side}_training_fmri.npy", np.ones((1, 2)))
    >>> read_algonauts2023(".")
    <Assembly algonauts2023: 1 presentations of 1 stimuli (image) × 4 neuroids>
    """
    if regions not in _CLASSES:
        raise UnknownNameError("division into regions", str(regions), _CLASSES)
    root = Path(path)
    if not (root / "training_split").is_dir():
        people = sorted(p.name for p in root.glob("subj*") if (p / "training_split").is_dir())
        if not people:
            raise ReadError(f"{root}: expected subj…/training_split; there is none.")
        root = root / one_of("subject", subject, people)
    who = root.resolve().name
    files = find_all(root / "training_split" / "training_images", "train-*.png", "pictures")
    parts = [_hemisphere(root, side, len(files), regions) for side in ("lh", "rh")]
    values = np.concatenate([part[0] for part in parts], axis=1)
    names = np.concatenate([part[1] for part in parts])
    side = np.repeat(["L", "R"], [part[0].shape[1] for part in parts])
    keep = finite_neuroids(root, values)
    if region is not None:
        if region not in _CLASSES[regions]:
            raise UnknownNameError(f"region of {regions}", str(region), _CLASSES[regions])
        keep &= names == region
        if not keep.any():
            raise ReadError(f"{root}: no vertex of {who} is in {region!r}; are roi_masks there?")
    columns = np.flatnonzero(keep)
    stimuli = _stimuli(files)
    responses = response_array(
        values[:, columns].astype(np.float32),
        {"stimulus_id": stimuli.index},
        {
            "neuroid_id": [f"{who}.{c}" for c in columns],
            "region": names[columns],
            "subject": who,
            "hemisphere": side[columns],
        },
    )
    return Assembly("algonauts2023", responses, stimuli, meta={"regions": regions})


def _hemisphere(root: Path, side: str, n: int, regions: str) -> tuple[np.ndarray, np.ndarray]:
    file = root / "training_split" / "training_fmri" / f"{side}_training_fmri.npy"
    values = load_npy(file)
    if values.ndim != 2 or len(values) != n or values.dtype.kind != "f":
        raise ReadError(
            f"{file.name}: expected responses to {n} pictures (picture, vertex); got "
            f"{values.dtype} of shape {values.shape}."
        )
    mask = root / "roi_masks" / f"{side}.{regions}_challenge_space.npy"
    if not mask.is_file():
        return values, np.full(values.shape[1], "", dtype="<U12")
    codes = load_npy(mask)
    titles = np.array(["", *_CLASSES[regions]])
    if codes.shape != values.shape[1:] or codes.min() < 0 or codes.max() >= len(titles):
        raise ReadError(
            f"{mask.name}: expected {values.shape[1]} codes from 0 to {len(titles) - 1}; got shape "
            f"{codes.shape} up to {codes.max(initial=0)}."
        )
    return values, titles[codes.astype(np.int64)]


def _stimuli(files: list[Path]) -> pd.DataFrame:
    found = [_NAME.fullmatch(file.name) for file in files]
    wrong = [f.name for f, match in zip(files, found, strict=True) if match is None]
    order = [int(match[1]) for match in found if match]
    if wrong or order != list(range(1, len(files) + 1)):
        raise ReadError(
            f"{files[0].parent}: expected train-0001_nsd-….png and so on without gaps; got "
            f"{wrong[:3] or order[:5]}."
        )
    nsd = [str(int(match[2])) for match in found if match]
    return pd.DataFrame({"image": [str(f) for f in files]}, index=nsd)
