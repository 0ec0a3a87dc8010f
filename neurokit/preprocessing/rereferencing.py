"""Other references: common average, bipolar, Laplacian and shaft-wise for depth electrodes.

No electrode shaft is described in most files; it is read from the contacts' names: ``A1``,
``A'1``, ``LAH10``, ``TI'2``, ``ECOG_RIGHT_0`` are a shaft and a number on it. Bipolar and
Laplacian references of depth electrodes follow Li et al., NeuroImage 183 (2018), 327–335.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import numpy as np
import xarray as xr

from neurokit.arguments import text
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.streams import chosen_stream
from neurokit.recording import Recording
from neurokit.warning import warn

__all__ = ["parse_contact", "rereference"]

_CONTACT = re.compile(r"^(?P<shaft>.*?)[ _-]*(?P<number>\d+)(?P<prime>['’]*)$")
_DEPTH = ("seeg", "ecog", "dbs")
_ELECTRODES = ("eeg", *_DEPTH)
_KINDS = ("average", "bipolar", "laplacian", "shaft")
# Contacts of one shaft are evenly spaced; a longer step is the next row of a grid.
_LONGEST_STEP = 2.0


class _Contacts(NamedTuple):
    """What can be re-referenced: column, shaft and number of each good or bad contact."""

    column: np.ndarray
    shaft: np.ndarray
    number: np.ndarray
    good: np.ndarray


def parse_contact(name: str) -> tuple[str, int] | None:
    """Split a contact's name into its shaft and its number on it.

    Parameters
    ----------
    name : str
        E.g. ``"LAH10"``.

    Returns
    -------
    tuple of str and int, or None
        None if the name does not end in a number (and primes).

    Examples
    --------
    >>> [parse_contact(n) for n in ("A'1", "A1'", "LAH10", "ECOG_RIGHT_0", "REF")]
    [("A'", 1), ("A'", 1), ('LAH', 10), ('ECOG_RIGHT', 0), None]
    """
    found = _CONTACT.match(name.strip())
    if found is None:
        return None
    return found["shaft"] + found["prime"].replace("’", "'"), int(found["number"])


def rereference(
    rec: Recording,
    kind: Literal["average", "bipolar", "laplacian", "shaft"] = "average",
    stream: str | None = None,
) -> Recording:
    """Change the reference of EEG or iEEG.

    Parameters
    ----------
    rec : Recording
        With an ``eeg`` or ``ieeg`` stream.
    kind : {"average", "bipolar", "laplacian", "shaft"}
        ``average`` subtracts the mean of the good electrodes of the same type (EEG, depth,
        grid), ``shaft`` that of the good contacts of the same shaft. ``bipolar`` gives the
        differences ``A1-A2`` of adjacent good contacts, at the mid-point of the two.
        ``laplacian`` subtracts the mean of the two adjacent good contacts, or the only one
        at a shaft's end or beside a bad one.
    stream : str, optional
        By default the brain stream.

    Returns
    -------
    Recording
        Contacts that are missing, bad, or farther apart than twice the shaft's usual
        distance (the next row of a grid) are no neighbours. Bad channels never enter a
        reference; except in ``bipolar`` they are kept. EOG, ECG and the like are kept as they
        are. Contacts for which there is no reference are left out, with a warning.

    Raises
    ------
    DataError
        If nothing can be re-referenced in that way.
    UnknownNameError
        If there is no such stream or kind.

    Examples
    --------
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 4))
    >>> rec = Recording.from_array(x, 100.0, ["A1", "A2", "A4", "A5"], stream="ieeg")
    >>> rereference(rec, "bipolar")["ieeg"]["channel"].values.tolist()
    ['A1-A2', 'A4-A5']
    """
    if text("kind", kind) not in _KINDS:
        raise UnknownNameError("kind of reference", kind, _KINDS)
    name = chosen_stream(rec, stream)
    data = rec[name]
    types = _types(data)
    if kind == "average":
        new, left_out = _average(data, types), list[str]()
    else:
        contacts = _contacts(data, types)
        function = {"bipolar": _bipolar, "laplacian": _laplacian, "shaft": _shaft}[kind]
        new, left_out = function(data, contacts)
        rest = np.flatnonzero(~np.isin(types, _DEPTH))
        if rest.size:
            new = xr.concat([new, _shared(data, new).isel(channel=rest)], "channel")
    new.attrs = {**data.attrs, "reference": kind}
    step = f"rereference({kind}, stream={name}): {data.sizes['channel']} to {new.sizes['channel']}"
    if left_out:
        warn(f"{len(left_out)} channels have no {kind} reference and are left out: {left_out[:8]}.")
        step += f", without {', '.join(left_out)}"
    return rec.replace({**rec.streams, name: new}, history=step)


def _types(data: xr.DataArray) -> np.ndarray:
    if data.dims != ("time", "channel"):
        raise DataError(f"Expected dims ('time', 'channel') to re-reference; got {data.dims}.")
    if "type" in data.coords:
        return data["type"].values
    default = {"ieeg": "seeg", "lfp": "seeg"}.get(str(data.name), "eeg")
    return np.full(data.sizes["channel"], default)


def _bad(data: xr.DataArray) -> np.ndarray:
    if "bad" in data.coords:
        return data["bad"].values.astype(bool)
    return np.zeros(data.sizes["channel"], dtype=bool)


def _average(data: xr.DataArray, types: np.ndarray) -> xr.DataArray:
    values, bad = data.values.copy(), _bad(data)
    present = [t for t in _ELECTRODES if (types == t).any()]
    if not present:
        raise DataError(
            f"Stream {data.name!r} has no electrodes; types: {sorted(set(types.tolist()))}."
        )
    for kind in present:
        chosen, good = types == kind, (types == kind) & ~bad
        if good.sum() < 2:
            raise DataError(
                f"An average reference needs at least 2 good {kind} channels; {data.name!r} has "
                f"{int(good.sum())}."
            )
        mean = values[:, good].mean(axis=1, keepdims=True, dtype=np.float64)
        values[:, chosen] = values[:, chosen] - mean
    return data.copy(data=values)


def _contacts(data: xr.DataArray, types: np.ndarray) -> _Contacts:
    """Find shaft and number of each contact, in order along the shafts."""
    names = [str(n) for n in data["channel"].values]
    column = np.flatnonzero(np.isin(types, _DEPTH))
    if not column.size:
        raise DataError(
            f"Stream {data.name!r} has no depth or grid contacts (types: "
            f"{sorted(set(types.tolist()))}). Use kind='average', or give the contacts coordinate "
            "type 'seeg' or 'ecog'."
        )
    parsed = {i: parse_contact(names[i]) for i in column}
    group = data["group"].values if "group" in data.coords else np.full(len(names), "")
    known = [(str(group[i]) or p[0], p[1], i) for i, p in parsed.items() if p is not None]
    if not known:
        raise DataError(
            f"No contact of {data.name!r} has a number: {names[:5]}. Names such as 'LAH3' say "
            "shaft and number."
        )
    first = {shaft: i for i, (shaft, _, _) in reversed(list(enumerate(known)))}
    known.sort(key=lambda k: (first[k[0]], k[1]))
    column = np.array([i for _, _, i in known])
    shaft = np.array([first[s] for s, _, _ in known])
    return _Contacts(column, shaft, np.array([n for _, n, _ in known]), ~_bad(data)[column])


def _neighbours(data: xr.DataArray, contacts: _Contacts) -> np.ndarray:
    """Tell for each contact but the last whether the next one is its neighbour."""
    same = np.diff(contacts.shaft) == 0
    adjacent = same & (np.diff(contacts.number) == 1)
    place = _place(data)
    if place is None:
        return adjacent
    step = np.linalg.norm(np.diff(place[contacts.column], axis=0), axis=1)
    for shaft in np.unique(contacts.shaft[:-1][adjacent]):
        on_it = adjacent & (contacts.shaft[:-1] == shaft) & np.isfinite(step)
        if on_it.any():
            adjacent[on_it & (step > _LONGEST_STEP * np.median(step[on_it]))] = False
    return adjacent


def _place(data: xr.DataArray) -> np.ndarray | None:
    if not all(axis in data.coords for axis in "xyz"):
        return None
    return np.stack([data[axis].values for axis in "xyz"], axis=1)


def _bipolar(data: xr.DataArray, contacts: _Contacts) -> tuple[xr.DataArray, list[str]]:
    good = contacts.good[:-1] & contacts.good[1:]
    pair = np.flatnonzero(_neighbours(data, contacts) & good)
    if not pair.size:
        raise DataError(
            f"No two good adjacent contacts in {data.name!r}, e.g. 'A1' and 'A2' on one shaft."
        )
    one, two = contacts.column[pair], contacts.column[pair + 1]
    names = data["channel"].values
    labels = np.array([f"{names[a]}-{names[b]}" for a, b in zip(one, two, strict=True)])
    new = data.isel(channel=one).copy(data=data.values[:, one] - data.values[:, two])
    new = new.drop_vars("name_in_file", errors="ignore").assign_coords(channel=labels)
    for axis in [a for a in "xyz" if a in data.coords]:
        middle = (data[axis].values[one] + data[axis].values[two]) / 2
        new = new.assign_coords({axis: ("channel", middle)})
    if "region" in data.coords:
        region = data["region"].values
        both = [
            str(a) if a == b else f"{a}/{b}" for a, b in zip(region[one], region[two], strict=True)
        ]
        new = new.assign_coords(region=("channel", np.array(both)))
    used = set(one) | set(two)
    lone = contacts.good & ~np.isin(contacts.column, list(used))
    return new, [str(n) for n in names[contacts.column[lone]]]


def _laplacian(data: xr.DataArray, contacts: _Contacts) -> tuple[xr.DataArray, list[str]]:
    adjacent, good, column = _neighbours(data, contacts), contacts.good, contacts.column
    below = np.concatenate([[False], adjacent & good[:-1]])
    above = np.concatenate([adjacent & good[1:], [False]])
    kept = np.flatnonzero(below | above)
    if not kept.size:
        raise DataError(f"No contact of {data.name!r} has a good neighbour on its shaft.")
    # With one neighbour both terms are that neighbour, and the mean is its value.
    lower = np.where(below, np.roll(column, 1), np.roll(column, -1))[kept]
    upper = np.where(above, np.roll(column, -1), np.roll(column, 1))[kept]
    values = data.values
    local = values[:, column[kept]] - (values[:, lower] + values[:, upper]) / 2
    new = data.isel(channel=column[kept]).copy(data=local)
    lone = np.setdiff1d(column, column[kept])
    return new, [str(n) for n in data["channel"].values[lone]]


def _shaft(data: xr.DataArray, contacts: _Contacts) -> tuple[xr.DataArray, list[str]]:
    values = data.values.copy()
    kept: list[int] = []
    for shaft in np.unique(contacts.shaft):
        on_it = contacts.shaft == shaft
        good = contacts.column[on_it & contacts.good]
        if good.size < 2:
            continue
        mean = values[:, good].mean(axis=1, keepdims=True, dtype=np.float64)
        columns = contacts.column[on_it]
        values[:, columns] = values[:, columns] - mean
        kept.extend(columns)
    if not kept:
        raise DataError(f"No shaft of {data.name!r} has two good contacts.")
    lone = np.setdiff1d(contacts.column, kept)
    new = data.copy(data=values).isel(channel=np.sort(kept))
    return new, [str(n) for n in data["channel"].values[lone]]


def _shared(data: xr.DataArray, new: xr.DataArray) -> xr.DataArray:
    return data.drop_vars([c for c in data.coords if c not in new.coords])
