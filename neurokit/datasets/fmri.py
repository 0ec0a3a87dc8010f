"""fMRI files: which kind they are, and fMRIPrep's runs with their confounds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.datasets.bids_names import entities
from neurokit.datasets.fmri_cifti import read_cifti
from neurokit.datasets.fmri_surface import read_gifti, read_mgh
from neurokit.datasets.fmri_table import confounds_stream, read_timeseries_table
from neurokit.datasets.fmri_text import is_numeric_text
from neurokit.datasets.fmri_volume import events_from_attributes, read_nifti
from neurokit.datasets.gzipped import is_gzip, open_stream
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording

if TYPE_CHECKING:
    import nibabel
    import numpy as np

__all__ = [
    "events_from_attributes",
    "read_cifti",
    "read_fmriprep",
    "read_gifti",
    "read_mgh",
    "read_nifti",
    "read_timeseries_table",
    "sniff",
]

_CIFTI_INTENTS = range(3000, 3100)
_MGH_TYPES = (0, 1, 3, 4)
_LONGEST_AXIS = 2**24


def sniff(path: str | Path) -> str | None:
    """Tell which fMRI format a file has, by its content.

    Parameters
    ----------
    path : path
        Any file.

    Returns
    -------
    str or None
        ``"nifti"``, ``"cifti"``, ``"gifti"``, ``"mgh"``, ``"timeseries"`` (a text table of
        numbers) or None.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "series.txt"
    >>> _ = path.write_text("0.1 0.2 0.3 0.4")
    >>> sniff(path)
    'timeseries'
    """
    path = Path(path)
    if not path.is_file():
        return None
    try:
        with open_stream(path) as stream:
            head = stream.read(2**16)
    except (EOFError, OSError, zlib.error):
        return None
    if head[344:348] in (b"n+1\0", b"ni1\0"):
        return "nifti"
    if head[4:8] in (b"n+2\0", b"ni2\0"):
        return "cifti" if _intent(head) in _CIFTI_INTENTS else "nifti"
    if b"<GIFTI" in head[:4096]:
        return "gifti"
    if _is_mgh(head):
        return "mgh"
    return "timeseries" if not is_gzip(path) and is_numeric_text(head) else None


def read_fmriprep(
    path: str | Path,
    strategy: Sequence[str] = ("motion", "wm_csf"),
    *,
    repetition_time: float | None = None,
    mask: str | Path | nibabel.Nifti1Image | np.ndarray | None = None,
    **options: Any,
) -> Recording:
    """Read a preprocessed run of fMRIPrep with the confounds of a strategy.

    Parameters
    ----------
    path : path
        ``…_desc-preproc_bold.nii.gz``, ``…_bold.dtseries.nii`` or ``…_bold.func.gii``, the
        table of confounds beside it.
    strategy : sequence of str
        As :func:`nilearn.interfaces.fmriprep.load_confounds`: ``motion``, ``wm_csf``,
        ``global_signal``, ``compcor``, ``ica_aroma``, ``high_pass``, ``scrub`` …
    repetition_time : float, optional
        In seconds; by default that of the JSON sidecar.
    mask : path, nibabel image or ndarray, optional
        For volumes; by default fMRIPrep's ``desc-brain_mask`` of the same space.
    **options
        Of the strategy: ``motion="basic"``, ``fd_threshold=0.5`` …

    Returns
    -------
    Recording
        Streams ``bold`` and ``confounds``. Where volumes are not steady yet, or are scrubbed,
        the coordinate ``kept`` of ``rec["confounds"]`` is False, which
        :func:`neurokit.preprocessing.clean_confounds` then heeds.

    Raises
    ------
    ReadError
        If files are missing or damaged, or the strategy asks for confounds that are not there.
    DataError
        If the TR is nowhere, or the confounds have another length than the run.
    """
    path = Path(path)
    rec = _read_run(path, repetition_time, mask)
    table, sample_mask = _load_confounds(path, strategy, options)
    n_volumes = rec["bold"].sizes["time"]
    if table is None or table.shape[1] == 0:
        return rec
    if len(table) != n_volumes:
        raise DataError(
            f"{path.name}: the confounds have {len(table)} rows, the run {n_volumes} volumes. They "
            "are not of the same run."
        )
    seconds = 1.0 / rec["bold"].attrs["sampling_rate"]
    confounds = confounds_stream(list(map(str, table.columns)), table.to_numpy(float), seconds)
    confounds.attrs["strategy"] = list(strategy)
    if sample_mask is not None:
        kept = np.isin(np.arange(n_volumes), sample_mask)
        confounds = confounds.assign_coords(kept=("time", kept))
    line = f"confounds of {'+'.join(strategy)}: {table.shape[1]}"
    return rec.replace({**rec.streams, "confounds": confounds}, history=line)


def _read_run(path: Path, repetition_time: float | None, mask: Any) -> Recording:
    if path.name.endswith(".func.gii"):
        return read_gifti(path, repetition_time=repetition_time)
    if path.name.endswith("series.nii"):
        return read_cifti(path, repetition_time=repetition_time)
    return read_nifti(
        path, repetition_time=repetition_time, mask=_brain_mask(path) if mask is None else mask
    )


def _brain_mask(path: Path) -> Path | None:
    """Find the mask of the same run and space; ``desc`` is the one entity that differs."""
    mine, _ = entities(path)
    preproc = {k: v for k, v in mine.items() if k != "desc"}
    for candidate in path.parent.glob("*_desc-brain_mask.nii*"):
        theirs, _ = entities(candidate)
        if {k: v for k, v in theirs.items() if k != "desc"} == preproc:
            return candidate
    return None


def _load_confounds(path: Path, strategy: Sequence[str], options: dict[str, Any]) -> Any:
    from nilearn.interfaces.fmriprep import load_confounds

    try:
        return load_confounds(str(path), strategy=tuple(strategy), **options)
    except (ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ReadError(f"{path.name}: the confounds cannot be loaded: {reason}") from error


def _intent(head: bytes) -> int:
    order = "<" if struct.unpack("<i", head[:4])[0] == 540 else ">"
    return int(struct.unpack(f"{order}i", head[504:508])[0]) if len(head) >= 508 else 0


def _is_mgh(head: bytes) -> bool:
    if len(head) < 284:
        return False
    version, *shape, kind = struct.unpack(">6i", head[:24])
    return version == 1 and kind in _MGH_TYPES and all(0 < n < _LONGEST_AXIS for n in shape)
