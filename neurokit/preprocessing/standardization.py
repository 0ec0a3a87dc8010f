"""z-scores whose statistics come from the data that one says, and from no other."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import xarray as xr

from neurokit.arguments import instance, known
from neurokit.errors import DataError
from neurokit.preprocessing.streams import chosen_stream
from neurokit.recording import Recording
from neurokit.recording.clock import is_boundary, slack
from neurokit.warning import warn

__all__ = ["standardize"]

# Rounding of float32 around the mean is no signal.
_RELATIVE_ROUNDING = 1e-7


def standardize(
    rec: Recording,
    stream: str | None = None,
    *,
    fit_on: Recording | slice | None = None,
    per: Literal["run", "recording"] = "run",
) -> Recording:
    """Subtract each feature's mean and divide by its standard deviation.

    Mean and population standard deviation (as scikit-learn's StandardScaler) are computed in
    float64.

    Parameters
    ----------
    rec : Recording
        What to scale.
    stream : str, optional
        By default the only continuous stream.
    fit_on : Recording or slice, optional
        Where mean and deviation are computed: another recording with the same features, or
        seconds of this one, e.g. ``slice(0, 300)`` for the training data. They are then
        applied to everything.
    per : {"run", "recording"}
        Without ``fit_on``: scale each run by itself, or all as one. Runs are told apart by
        the ``boundary`` events that :meth:`Recording.concat` sets, else by the events'
        column ``run``: a run begins with its first event. Without either there is one run.

    Returns
    -------
    Recording
        The stream in units ``z``. A feature that is constant where the statistics come from
        becomes 0, with a warning that names it. NaN of bad channels stay NaN.

    Raises
    ------
    DataError
        If the features differ, or nothing lies in the given time.

    Examples
    --------
    >>> x = np.array([[0.0], [2.0], [10.0], [30.0]])
    >>> rec = Recording.from_array(x, 1.0, stream="bold")
    >>> standardize(rec, fit_on=slice(0, 1))["bold"].values.ravel()
    array([-1.,  1.,  9., 29.], dtype=float32)
    """
    instance("The recording", rec, Recording, "a neurokit Recording")
    known("per", per, ("run", "recording"))
    name = _only_stream(rec) if stream is None else chosen_stream(rec, stream)
    data = rec[name]
    if fit_on is not None:
        values = _scaled(data, _fit_values(rec, name, fit_on), name)
        what = "given data"
    else:
        values, n_runs = _scaled_by_run(rec, name, per)
        what = f"each of {n_runs} runs" if n_runs > 1 else "the recording"
    out = data.copy(data=values).assign_attrs(units="z")
    line = f"standardize({name}, statistics of {what})"
    return rec.replace({**rec.streams, name: out}, history=line)


def _only_stream(rec: Recording) -> str:
    names = [n for n, s in rec.streams.items() if isinstance(s, xr.DataArray) and s.ndim == 2]
    # Confounds and behaviour come beside the data and are seldom what is meant.
    main = [n for n in names if n not in ("confounds", "behaviour", "stimulus")] or names
    if len(main) != 1:
        raise DataError(f"Which stream? There are {sorted(main)}. Give stream=.")
    return main[0]


def _fit_values(rec: Recording, name: str, fit_on: Recording | slice) -> np.ndarray:
    data = rec[name]
    if isinstance(fit_on, slice):
        source = rec.sel(time=fit_on)
        if name not in source:
            raise DataError(f"Stream {name!r} has no sample in {fit_on.start} to {fit_on.stop} s.")
        return source[name].values
    other = instance("fit_on", fit_on, Recording, "a Recording or slice of seconds")[name]
    dim = data.dims[1]
    same = other.dims == data.dims and np.array_equal(other[dim].values, data[dim].values)
    if not same:
        raise DataError(
            f"fit_on has {name} of {dict(other.sizes)}, the recording {dict(data.sizes)}, or their "
            f"{dim} names differ. Select and order the same ones."
        )
    return other.values


def _scaled(data: xr.DataArray, fit: np.ndarray, name: str) -> np.ndarray:
    mean, deviation = _moments(fit)
    constant = deviation <= _RELATIVE_ROUNDING * np.abs(mean)
    if constant.any():
        _warn_constant(name, data[data.dims[1]].values[constant])
    scale = np.where(constant, 1.0, deviation)
    out = ((data.values - mean) / scale).astype(np.float32)
    out[:, constant] = 0.0
    return out


def _moments(fit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(fit)
    if known.all():
        return fit.mean(axis=0, dtype=np.float64), fit.std(axis=0, dtype=np.float64)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, fit, 0.0).sum(axis=0, dtype=np.float64) / count
    square = np.where(known, (fit - mean) ** 2, 0.0).sum(axis=0) / count
    return mean, np.where(known.any(axis=0), np.sqrt(square), 1.0)


def _warn_constant(name: str, features: np.ndarray) -> None:
    listed = ", ".join(repr(str(f)) for f in features[:8])
    warn(
        f"Stream {name!r}: {features.size} features are constant and become 0: {listed}"
        f"{' …' if features.size > 8 else ''}."
    )


def _scaled_by_run(rec: Recording, name: str, per: str) -> tuple[np.ndarray, int]:
    data = rec[name]
    starts = _run_starts(rec) if per == "run" else []
    # A sample on the border belongs to the run that begins there.
    time = data["time"].values
    cuts = np.searchsorted(time + slack(time[0], time[-1]), starts)
    edges = np.unique([0, *cuts, data.sizes["time"]])
    parts = [data[a:b] for a, b in itertools.pairwise(edges)]
    return np.concatenate([_scaled(part, part.values, name) for part in parts]), len(parts)


def _run_starts(rec: Recording) -> list[float]:
    events = rec.events
    boundary = events["trial_type"].map(is_boundary).astype(bool)
    if boundary.any():
        return events.loc[boundary, "onset"].tolist()
    if "run" not in events:
        return []
    return events.groupby("run", sort=False)["onset"].min().sort_values().tolist()[1:]
