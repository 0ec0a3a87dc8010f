"""NetCDF assemblies of BrainIO, as Brain-Score distributes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import instance
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import averaged, finite_neuroids, response_array
from neurokit.datasets.assemblies.files import find, read_texts
from neurokit.datasets.hdf5 import open_hdf5
from neurokit.errors import DataError, ReadError, UnknownNameError

__all__ = ["open_brainio", "read_brainio"]

# What packagers of different sets call the same thing, the most specific first.
_IDS = ("stimulus_id", "image_id")
_TEXTS = ("stimulus", "stimulus_sentence", "sentence", "word")
_SUBJECTS = ("subject", "subject_id", "subject_UID", "animal")
_REGIONS = ("fROI_area", "roi", "region", "atlas")
_CATEGORIES = ("category_name", "category", "object_name")
_PASSAGES = ("passage_label", "sentence_id")


def read_brainio(
    path: str | Path,
    *,
    name: str | None = None,
    stimuli: str | Path | None = None,
    images: str | Path | None = None,
    select: Mapping[str, Any] | None = None,
    time_bin: int | None = None,
) -> Assembly:
    """Read an assembly and its stimulus set.

    Parameters
    ----------
    path : path
        The ``.nc`` file, or a folder with one (``assy_….nc``) and at most one stimulus set
        (``stimulus_….csv``). The array has dims ``presentation`` and ``neuroid``, perhaps
        ``time_bin``; the levels of its indices are plain coordinates, because NetCDF keeps no
        MultiIndex. So in BrainIO's ``packaging.write_netcdf`` and its README. Behaviour, such as
        the reading times of Futrell2018, has ``subject`` instead of ``neuroid``; its mean over
        people, each of whom may lack presentations, becomes the one neuroid.
    name : str, optional
        Of the assembly; by default the file's.
    stimuli : path, optional
        The stimulus set, if it lies elsewhere; column ``stimulus_id`` or ``image_id``.
    images : path, optional
        Folder of the pictures that its column ``filename`` names; by default its own folder.
    select : mapping, optional
        Values of coordinates to keep, such as ``{"experiment": "384sentences"}``.
    time_bin : int, optional
        Which bin, counted from 0; needed where there are several.

    Returns
    -------
    Assembly
        Trials with a coordinate ``repetition`` are averaged by stimulus and kept as ``repeats``.
        Neuroids that lack presentations are left out; ``meta["dropped_neuroids"]`` counts
        them. Coordinates keep their names; ``subject``, ``region``, ``story`` and ``passage``
        are added under those names. An array's own ``x`` and ``y`` (positions on it, unit not
        stated) become ``array_x`` and ``array_y``.

    Raises
    ------
    ReadError
        If it is no such file, or no neuroid has all presentations.
    DataError
        If nothing is selected, or a bin must be chosen.

    Examples
    --------
    >>> made = xr.DataArray(
    ...     np.eye(2), dims=("presentation", "neuroid"), name="data",
    ...     coords={"stimulus_id": ("presentation", ["a", "b"]),
    ...             "stimulus": ("presentation", ["A dog.", "A cat."]),
    ...             "neuroid_id": ("neuroid", [0, 1])},
    ... )
    >>> made.to_netcdf("assy_pets.nc", engine="h5netcdf")
    >>> read_brainio("assy_pets.nc")
    <Assembly assy_pets: 2 presentations of 2 stimuli (text) × 2 neuroids>
    """
    file = find(Path(path), ("assy_*.nc", "*.nc"), "a NetCDF assembly")
    data = _selected(file, open_brainio(file, time_bin), select or {})
    presentation = _coords(data, "presentation")
    neuroid = _coords(data, "neuroid")
    ids = _stimulus_ids(presentation, len(data))
    given = _stimulus_set(file, stimuli)
    table = _table(ids, presentation, given, _folder(images, given))
    presentation |= _renamed(presentation, {"passage": _PASSAGES})
    presentation["stimulus_id"] = np.array(ids)
    neuroid |= _renamed(neuroid, {"subject": _SUBJECTS, "region": _REGIONS})
    for axis in "xyz":
        if axis in neuroid:
            neuroid[f"array_{axis}"] = neuroid.pop(axis)
    keep = finite_neuroids(
        file, data.values, "Select one experiment, such as select={'experiment': …}."
    )
    values = data.values[:, keep].astype(np.float32)
    neuroid = {k: v[keep] for k, v in neuroid.items()}
    meta = {"dropped_neuroids": int((~keep).sum()), "source": file.name}
    label = file.stem if name is None else name
    if "repetition" not in presentation:
        responses = response_array(values, presentation, neuroid)
        return Assembly(label, responses, table, meta=meta)
    order = np.argsort(presentation["repetition"], kind="stable")
    names, mean, repeats = averaged(values[order], [ids[i] for i in order])
    responses = response_array(mean, {"stimulus_id": names}, neuroid)
    single = xr.DataArray(repeats, dims=("repeat", "presentation", "neuroid"))
    return Assembly(label, responses, table, repeats=single, meta=meta)


def open_brainio(path: Path, time_bin: int | None = None) -> xr.DataArray:
    """Open the array of a BrainIO file.

    Parameters
    ----------
    path : Path
        NetCDF 4, or the classic NetCDF 3.
    time_bin : int, optional
        Which bin, where there are several.

    Returns
    -------
    xr.DataArray
        Dims ``(presentation, neuroid)``, in memory.

    Raises
    ------
    ReadError
        If it is damaged or has other dimensions.
    DataError
        If a bin must be chosen, or does not exist.
    """
    with path.open("rb") as file:
        classic = file.read(3) == b"CDF"
    engine: Any = "scipy" if classic else "h5netcdf"
    if not classic:
        # libhdf5 never returns from some damaged files; this looks first.
        with open_hdf5(path, "a NetCDF assembly"):
            pass
    try:
        with xr.open_dataset(path, engine=engine, decode_times=False) as dataset:
            loaded = dataset.load()
    except Exception as error:
        # Decoders raise anything on damaged files.
        raise ReadError(f"{path.name}: cannot be read as a NetCDF assembly: {error}.") from error
    arrays = [v for v in loaded.data_vars.values() if "presentation" in v.dims and v.ndim > 1]
    if len(arrays) != 1:
        sizes = {str(k): dict(v.sizes) for k, v in loaded.data_vars.items()}
        raise ReadError(f"{path.name}: expected one array over presentation; it holds {sizes}.")
    return _two_dimensional(path, arrays[0], time_bin)


def _two_dimensional(path: Path, array: xr.DataArray, time_bin: int | None) -> xr.DataArray:
    if "neuroid" not in array.dims and "subject" in array.dims:
        array = _over_people(array)
    if "time_bin" in array.dims or "time" in array.dims:
        dim = "time_bin" if "time_bin" in array.dims else "time"
        n = array.sizes[dim]
        if time_bin is None and n > 1:
            bins = [(int(a), int(b)) for a, b in _bins(array, dim)][:8]
            raise DataError(f"{path.name} holds {n} time bins: {bins} ms. Choose with time_bin=.")
        if time_bin is not None and not 0 <= time_bin < n:
            raise DataError(f"{path.name} holds time bins 0 to {n - 1}; got {time_bin}.")
        array = array.isel({dim: time_bin or 0})
    if set(array.dims) != {"presentation", "neuroid"} or not array.size:
        raise ReadError(
            f"{path.name}: expected dims presentation and neuroid; got {dict(array.sizes)}."
        )
    return array.transpose("presentation", "neuroid")


def _over_people(array: xr.DataArray) -> xr.DataArray:
    n = array.sizes["subject"]
    alone = array.drop_vars([k for k, c in array.coords.items() if "subject" in c.dims])
    mean = alone.mean("subject", skipna=True).expand_dims("neuroid", axis=-1)
    return mean.assign_coords(neuroid_id=("neuroid", ["mean"]), n_subjects=("neuroid", [n]))


def _bins(array: xr.DataArray, dim: str) -> Any:
    starts = array.coords.get("time_bin_start")
    if starts is None:
        return [(i, i) for i in range(array.sizes[dim])]
    return zip(starts.values, array["time_bin_end"].values, strict=True)


def _selected(path: Path, data: xr.DataArray, select: Mapping[str, Any]) -> xr.DataArray:
    for key, value in instance("select", select, Mapping, "a dict of coordinates").items():
        if key not in data.coords or data[key].ndim != 1:
            known = [str(k) for k, c in data.coords.items() if c.ndim == 1]
            raise UnknownNameError(f"coordinate of {path.name}", key, known)
        keep = np.flatnonzero(np.isin(data[key].values.astype(str), np.atleast_1d(value)))
        if not keep.size:
            known = np.unique(data[key].values.astype(str))[:12].tolist()
            raise DataError(f"{path.name}: no {key} is {value!r}. There are: {known}.")
        data = data.isel({data[key].dims[0]: keep})
    return data


def _coords(data: xr.DataArray, dim: str) -> dict[str, np.ndarray]:
    return {str(k): c.values for k, c in data.coords.items() if c.dims == (dim,) and k != dim}


def _renamed(
    coords: dict[str, np.ndarray], wanted: Mapping[str, tuple[str, ...]]
) -> dict[str, np.ndarray]:
    found = {new: next((k for k in old if k in coords), None) for new, old in wanted.items()}
    return {new: coords[old].astype(str) for new, old in found.items() if old is not None}


def _stimulus_ids(coords: dict[str, np.ndarray], n: int) -> list[str]:
    for key in _IDS:
        if key in coords:
            return [str(i) for i in coords[key]]
    for key in _TEXTS:
        if key in coords:
            return [str(i) for i in coords[key]]
    return [str(i) for i in range(n)]


def _stimulus_set(file: Path, given: str | Path | None) -> Path | None:
    if given is not None:
        return Path(given)
    beside = sorted(file.parent.glob("stimulus_*.csv")) or sorted(file.parent.glob("*.csv"))
    if len(beside) > 1:
        raise ReadError(
            f"{file.parent}: {len(beside)} tables may be the stimulus set: "
            f"{[p.name for p in beside[:5]]}. Choose with stimuli=."
        )
    return beside[0] if beside else None


def _folder(images: str | Path | None, stimuli: Path | None) -> Path | None:
    if images is not None:
        return Path(images)
    return None if stimuli is None else stimuli.parent


def _table(
    ids: list[str], coords: dict[str, np.ndarray], given: Path | None, folder: Path | None
) -> pd.DataFrame:
    """Join what the assembly and the stimulus set say about each stimulus."""
    facts = {k: v for k, v in coords.items() if k not in (*_IDS, "repetition")}
    table = pd.DataFrame(facts, index=pd.Index(ids, name="stimulus_id"))
    table = table[~table.index.duplicated()]
    if given is not None:
        told = read_texts(given, ",")
        key = next((k for k in _IDS if k in told), None)
        if key is None:
            raise ReadError(f"{given.name}: expected a column stimulus_id or image_id.")
        told = told.drop_duplicates(key).set_index(key)
        missing = table.index.difference(told.index)
        if len(missing):
            raise ReadError(
                f"{given.name} lacks {len(missing)} of {len(table)} stimuli, such as "
                f"{missing[0]!r}. Is it another assembly's stimulus set?"
            )
        new = [c for c in told.columns if c not in table]
        table = table.join(told[new])
    if folder is not None and "filename" in table:
        table["image"] = [str(folder / f) for f in table["filename"]]
    texts = [k for k in _TEXTS if k in table and table[k].dtype.kind not in "iufb"]
    if texts and "text" not in table:
        table["text"] = table[texts[0]].astype(str)
    kinds = [k for k in _CATEGORIES if k in table]
    if kinds and "category" not in table:
        table["category"] = table[kinds[0]].astype(str)
    return table
