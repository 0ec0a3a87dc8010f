"""The recording: streams on one clock, events, and what is known about them."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import instance, number, path_of, text
from neurokit.errors import DataError, UnknownNameError
from neurokit.extras import require
from neurokit.recording import build, checks, selection

if TYPE_CHECKING:
    import mne
    import nibabel
    import pynapple
    import pynwb
    from matplotlib.figure import Figure

__all__ = ["Recording"]

Stream = xr.DataArray | xr.Dataset


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """Streams on one clock, in xarray's own terms.

    Parameters
    ----------
    streams : mapping of str to xr.DataArray or xr.Dataset
        Continuous streams have dims ``(time, channel)`` (or ``roi``, ``voxel``, ``unit``,
        ``variable``), ``time`` in seconds, attrs ``sampling_rate`` in Hz and ``units``
        (``V`` for EEG and iEEG). Stimuli have dims ``(time, row, column)`` or
        ``(presentation, ...)``. ``spikes`` is a Dataset: ``time`` and ``unit`` over
        ``spike``, ``id`` and other facts over ``unit``.
    events : pd.DataFrame, optional
        BIDS columns ``onset`` (s), ``duration`` (s), ``trial_type`` and others.
    meta : mapping, optional
        Plain data: subject, session, task, source, licence, citation. ``history`` lists
        the processing, one line a step.

    Raises
    ------
    DataError
        If a stream breaks the rules above; the message says which, where and what to do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> rec = Recording.from_array(20e-6 * rng.normal(size=(500, 2)), 250, ["C3", "C4"])
    >>> rec
    <Recording 0–2 s: eeg (500 time × 2 channel, 250 Hz, V); 0 events>
    >>> rec["eeg"].sel(channel="C3").sizes
    Frozen({'time': 500})
    """

    streams: Mapping[str, Stream]
    events: pd.DataFrame = field(default_factory=checks.no_events)
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        instance("streams", self.streams, Mapping, "a dict of streams by name")
        if not self.streams:
            raise DataError("A recording needs at least one stream; got none.")
        checked = {str(name): _check(str(name), data) for name, data in self.streams.items()}
        object.__setattr__(self, "streams", MappingProxyType(checked))
        stop = self.stop if any(selection.span(s) for s in checked.values()) else None
        object.__setattr__(self, "events", checks.check_events(self.events, stop))
        object.__setattr__(self, "meta", checks.check_meta(self.meta))

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes of torch, joblib and dask get a recording by way of this.
        return Recording, (dict(self.streams), self.events, self.meta)

    # Construction

    @classmethod
    def from_array(
        cls,
        x: np.ndarray,
        sampling_rate: float,
        channels: Sequence[str] | None = None,
        stream: str = "eeg",
        units: str | None = None,
        events: pd.DataFrame | None = None,
        *,
        start: float = 0.0,
        bads: Sequence[str] = (),
        meta: Mapping[str, Any] | None = None,
    ) -> Recording:
        """Build a recording from one array.

        Parameters
        ----------
        x : ndarray of shape (time, channel)
            The samples; NumPy array or anything that converts to one.
        sampling_rate : float
            In Hz.
        channels : sequence of str, optional
            Names; numbered from 0 when absent.
        stream : str
            ``"eeg"``, ``"ieeg"``, ``"lfp"``, ``"bold"``, ``"calcium"``, ``"behaviour"`` …
            The name sets the second dimension and the default unit.
        units : str, optional
            ``"uV"``, ``"mV"`` and the like are converted to volts. By default the kind's
            own: volts for EEG, iEEG and LFP.
        events : pd.DataFrame, optional
            BIDS columns ``onset``, ``duration``, ``trial_type``.
        start : float
            Time of the first sample in seconds.
        bads : sequence of str
            Channels known to be bad; only they may hold NaN.
        meta : mapping, optional
            Subject, task, licence and so on.

        Returns
        -------
        Recording
            A recording of one stream.

        Raises
        ------
        DataError
            If shapes, names, rate or values do not agree.

        Examples
        --------
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(300, 1))
        >>> Recording.from_array(10 * x, 100.0, ["Cz"], units="uV")["eeg"].attrs["units"]
        'V'
        """
        data = build.continuous(x, sampling_rate, channels, stream, units, start=start, bads=bads)
        return cls({stream: data}, checks.no_events() if events is None else events, _dict(meta))

    @classmethod
    def from_spikes(
        cls,
        times: np.ndarray,
        units: np.ndarray,
        duration: float | None = None,
        trials: pd.DataFrame | np.ndarray | None = None,
        streams: Mapping[str, xr.DataArray] | None = None,
        *,
        start: float = 0.0,
        unit_table: pd.DataFrame | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> Recording:
        """Build a recording from spike times.

        Parameters
        ----------
        times : ndarray of shape (spike,)
            Seconds, in any order.
        units : ndarray of shape (spike,)
            The id of the unit of each spike; integers.
        duration : float, optional
            Length of the recording in seconds; by default it ends at the last spike.
        trials : pd.DataFrame or ndarray of shape (trial, 2), optional
            An event table, or start and stop of each trial in seconds.
        streams : mapping of str to xr.DataArray, optional
            What was recorded beside the spikes, on the same clock.
        start : float
            Beginning of the recording in seconds.
        unit_table : pd.DataFrame, optional
            One row a unit with column ``id`` and facts such as ``region`` and ``quality``;
            units that are silent belong here, too.
        meta : mapping, optional
            Subject, task, licence and so on.

        Returns
        -------
        Recording
            With stream ``spikes`` and those given.

        Raises
        ------
        DataError
            If lengths differ, ids are not integers, or a spike lies outside.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.3, 0.1, 0.2], [7, 5, 7], duration=1.0)
        >>> rec["spikes"]["unit"].values, rec["spikes"]["id"].values
        (array([0, 1, 1], dtype=int32), array([5, 7]))
        """
        spikes = build.spike_train(times, units, start, duration, unit_table)
        events = checks.no_events() if trials is None else build.trial_events(trials)
        beside = instance(
            "streams", {} if streams is None else streams, Mapping, "a dict of streams by name"
        )
        return cls({"spikes": spikes, **beside}, events, _dict(meta))

    @classmethod
    def from_mne(cls, raw: mne.io.BaseRaw) -> Recording:
        """Convert MNE's continuous data; see :mod:`neurokit.recording.mne_conversion`.

        Parameters
        ----------
        raw : mne.io.BaseRaw
            Brain channels become ``eeg``, ``ieeg`` or ``meg``; annotations become events.

        Returns
        -------
        Recording
            In volts and metres, as in MNE.

        Examples
        --------
        >>> import mne, numpy as np
        >>> x = 1e-5 * np.random.default_rng(0).normal(size=(2, 100))
        >>> raw = mne.io.RawArray(x, mne.create_info(["Cz", "Pz"], 50, "eeg"), verbose=False)
        >>> Recording.from_mne(raw)
        <Recording 0–2 s: eeg (100 time × 2 channel, 50 Hz, V); 0 events>
        """
        from neurokit.recording.mne_conversion import from_mne

        return from_mne(raw)

    @classmethod
    def from_nifti(
        cls, image: nibabel.Nifti1Image, repetition_time: float | None = None, **kwargs: Any
    ) -> Recording:
        """Convert a 4-D image; see :func:`neurokit.recording.nifti_conversion.from_nifti`.

        Parameters
        ----------
        image : nibabel spatial image of shape (x, y, z, time)
            What nibabel or nilearn loaded.
        repetition_time : float
            In seconds; never trusted from the header.
        **kwargs
            ``mask``, ``start``.

        Returns
        -------
        Recording
            With stream ``bold`` over ``(time, voxel)``.

        Examples
        --------
        >>> import nibabel, numpy as np
        >>> image = nibabel.Nifti1Image(np.ones((2, 3, 4, 5), np.float32), np.eye(4))
        >>> Recording.from_nifti(image, repetition_time=2.0)["bold"].sizes["voxel"]
        24
        """
        from neurokit.recording.nifti_conversion import from_nifti

        return from_nifti(image, repetition_time, **kwargs)

    @classmethod
    def from_nwb(cls, nwbfile: pynwb.NWBFile) -> Recording:
        """Convert an NWB object; to read a file, ``nk.datasets.read`` is faster.

        Parameters
        ----------
        nwbfile : pynwb.NWBFile
            Units, time series, intervals and electrodes are converted.

        Returns
        -------
        Recording
            On the file's own clock.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.1, 0.4], [0, 1], duration=1.0)
        >>> Recording.from_nwb(rec.to_nwb())["spikes"]["time"].values
        array([0.1, 0.4])
        """
        from neurokit.recording.nwb_conversion import from_nwb

        return from_nwb(nwbfile)

    @classmethod
    def from_pynapple(cls, **objects: Any) -> Recording:
        """Convert pynapple objects, given by the name that their stream shall have.

        Parameters
        ----------
        **objects
            ``spikes=TsGroup``, ``epochs=IntervalSet``, any other name a Tsd or TsdFrame.

        Returns
        -------
        Recording
            On the objects' own clock.

        Examples
        --------
        >>> import pynapple as nap
        >>> Recording.from_pynapple(lfp=nap.TsdFrame(t=[0.0, 0.5, 1.0], d=[[1e-4], [2e-4], [0]]))
        <Recording 0–1.5 s: lfp (3 time × 1 channel, 2 Hz, V); 0 events>
        """
        from neurokit.recording.pynapple_conversion import from_pynapple

        return from_pynapple(**objects)

    # The clock

    @property
    def start(self) -> float:
        """Earliest second of any stream."""
        return min(self._spans())[0]

    @property
    def stop(self) -> float:
        """End of the last stream in seconds: one sample past its last sample."""
        return max(s for _, s in self._spans())

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.stop - self.start

    def _spans(self) -> list[tuple[float, float]]:
        spans = [s for s in map(selection.span, self.streams.values()) if s is not None]
        return spans or [(0.0, 0.0)]

    # Access

    def __getitem__(self, name: str) -> Any:
        if text("stream", name) not in self.streams:
            raise UnknownNameError("stream", name, self.streams)
        return self.streams[name]

    def __contains__(self, name: object) -> bool:
        return name in self.streams

    def sel(self, time: slice | None = None, **selectors: Any) -> Recording:
        """Select by coordinate labels in every stream that has them.

        Parameters
        ----------
        time : slice, optional
            Seconds, both ends included as everywhere in xarray. The clock is kept.
        **selectors
            Dimension or coordinate names, e.g. ``channel=["C3", "C4"]``, ``region="V1"``,
            ``unit=[3, 8]`` (ids). Streams without that coordinate are left as they are.

        Returns
        -------
        Recording
            Streams that have nothing in the selected time are left out, which the
            history records.

        Raises
        ------
        DataError
            If the selection is empty.
        UnknownNameError
            If no stream has the coordinate or the label.

        Examples
        --------
        >>> import numpy as np
        >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 2))
        >>> rec = Recording.from_array(x, 10, ["C3", "C4"])
        >>> rec.sel(time=slice(2, 4), channel=["C4"])["eeg"].shape
        (21, 1)
        """
        out = self
        for key, labels in selectors.items():
            streams = selection.by_label(out.streams, key, labels)
            out = out.replace(streams=streams, history=f"sel({key}={labels!r})")
        if time is None:
            return out
        if not isinstance(time, slice) or time.step is not None:
            raise DataError(f"Expected time=slice(start, stop) in seconds; got {time!r}.")
        start = self.start if time.start is None else number("time (s)", time.start)
        stop = self.stop if time.stop is None else number("time (s)", time.stop)
        return out._cut(start, stop, closed=True, history=f"sel(time=slice({start:g}, {stop:g}))")

    def crop(self, start: float | None = None, stop: float | None = None) -> Recording:
        """Keep the half-open interval ``[start, stop)``; the clock is kept.

        Parameters
        ----------
        start, stop : float, optional
            Seconds; by default the recording's own.

        Returns
        -------
        Recording
            Streams, spikes and events whose time lies in the interval. Streams that have
            nothing there are left out, which the history records.

        Raises
        ------
        DataError
            If nothing is left, or start is not before stop.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.1, 0.6, 0.9], [0, 0, 1], duration=1.0)
        >>> rec.crop(0.5, 1.0)["spikes"].sizes["spike"]
        2
        """
        start = self.start if start is None else number("start (s)", start, infinite=True)
        stop = self.stop if stop is None else number("stop (s)", stop, infinite=True)
        return self._cut(start, stop, closed=False, history=f"crop({start:g}, {stop:g})")

    def _cut(self, start: float, stop: float, closed: bool, history: str) -> Recording:
        if not (math.isfinite(start) and math.isfinite(stop) and start < stop):
            raise DataError(f"Expected start < stop in seconds; got [{start:g}, {stop:g}].")
        kept = selection.by_time(self.streams, start, stop, closed)
        if not any(map(selection.span, kept.values())):
            raise DataError(
                f"Empty selection: nothing lies in {start:g} to {stop:g} s; the recording runs "
                f"from {self.start:g} to {self.stop:g} s."
            )
        left_out = [name for name in self.streams if name not in kept]
        note = f" left out {', '.join(left_out)}: no data there" if left_out else ""
        inside = selection.bounds(self.events["onset"].to_numpy(), start, stop, closed)
        events = self.events.iloc[inside]
        # What is left of a stream with gaps may end before the interval does.
        end = max(s[1] for s in map(selection.span, kept.values()) if s is not None)
        late = int((events["onset"] > end).sum())
        if late:
            events, note = events.iloc[:-late], f"{note}; left out {late} events: no data there"
        return self.replace(streams=kept, events=events, history=history + note)

    def replace(
        self,
        streams: Mapping[str, Stream] | None = None,
        events: pd.DataFrame | None = None,
        meta: Mapping[str, Any] | None = None,
        history: str | None = None,
    ) -> Recording:
        """Return a copy with some parts exchanged and a line added to its history.

        Parameters
        ----------
        streams : mapping, optional
            All the streams of the new recording.
        events : pd.DataFrame, optional
            The new event table.
        meta : mapping, optional
            Entries to add or overwrite.
        history : str, optional
            What was done.

        Returns
        -------
        Recording
            A new object; this one is unchanged.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.1], [0], duration=1.0)
        >>> rec.replace(history="looked at it").meta["history"]
        ['looked at it']
        """
        merged = {**self.meta, **(meta or {})}
        if history:
            merged["history"] = [*merged["history"], history]
        return Recording(
            self.streams if streams is None else streams,
            self.events if events is None else events,
            merged,
        )

    @staticmethod
    def concat(recordings: Iterable[Recording]) -> Recording:
        """Join recordings end to end in time.

        Parameters
        ----------
        recordings : iterable of Recording
            With the same streams, channels and rates. The first keeps its clock; each
            following one is shifted to begin where the last ended. An event ``boundary``
            marks every joint.

        Returns
        -------
        Recording
            Metadata are the first one's.

        Raises
        ------
        DataError
            If the recordings differ in streams, channels or rates, or there are none.

        Examples
        --------
        >>> a = Recording.from_spikes([0.1], [0], duration=1.0)
        >>> both = Recording.concat([a, a])
        >>> both["spikes"]["time"].values, both.stop
        (array([0.1, 1.1]), 2.0)
        """
        parts = _recordings(recordings)
        shifts, joints = [0.0], []
        for before, part in itertools.pairwise(parts):
            joints.append(before.stop + shifts[-1])
            shifts.append(joints[-1] - part.start)
        streams = selection.join([part.streams for part in parts], shifts)
        moved = [
            p.events.assign(onset=p.events["onset"] + s) for p, s in zip(parts, shifts, strict=True)
        ]
        joint = pd.DataFrame({"onset": joints, "duration": 0.0, "trial_type": "boundary"})
        tables = [t for t in (joint, *moved) if len(t)]
        events = pd.concat(tables, ignore_index=True) if tables else parts[0].events
        events = events[list(dict.fromkeys(c for t in (*moved, joint) for c in t.columns))]
        line = f"concat of {len(parts)} recordings"
        return parts[0].replace(streams=streams, events=events, history=line)

    def load(self) -> Recording:
        """Read everything that still lies in files into memory, and check its values.

        Returns
        -------
        Recording
            The same recording, independent of its files.

        Raises
        ------
        DataError
            If samples are not finite.

        Examples
        --------
        >>> Recording.from_spikes([0.1], [0], duration=1.0).load().duration
        1.0
        """
        return self.replace(streams={name: s.load() for name, s in self.streams.items()})

    def identical(self, other: Recording) -> bool:
        """Tell whether two recordings agree in every value, coordinate and fact.

        Parameters
        ----------
        other : Recording
            What to compare with.

        Returns
        -------
        bool
            True if nothing differs, including units, events and metadata.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.1], [0], duration=1.0)
        >>> rec.identical(rec.crop(0, 0.5))
        False
        """
        return (
            isinstance(other, Recording)
            and set(self.streams) == set(other.streams)
            and all(self[name].identical(other[name]) for name in self.streams)
            and self.events.equals(other.events)
            # Text, because NaN does not equal itself.
            and json.dumps(self.meta, sort_keys=True) == json.dumps(other.meta, sort_keys=True)
        )

    # Storage and conversion

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write everything to a zarr folder; see :func:`neurokit.recording.storage.save`.

        Parameters
        ----------
        path : path
            Usually ends in ``.zarr``.
        overwrite : bool
            Replace what is there. What is there stays intact until the new one is complete.

        Returns
        -------
        Path
            Where it was written.

        Examples
        --------
        >>> Recording.from_spikes([0.1], [0], duration=1.0).save("session.zarr").name
        'session.zarr'
        """
        from neurokit.recording.storage import save

        return save(self, path_of("path", path), overwrite)

    @staticmethod
    def open(path: str | Path) -> Recording:
        """Open a saved recording; samples are read on first use.

        Parameters
        ----------
        path : path
            What :meth:`save` wrote.

        Returns
        -------
        Recording
            Equal to what was saved, to the bit.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.1], [0], duration=1.0)
        >>> Recording.open(rec.save("session.zarr")).identical(rec)
        True
        """
        from neurokit.recording.storage import open_recording

        return open_recording(path_of("path", path))

    def to_mne(self, stream: str | None = None) -> mne.io.RawArray:
        """Convert a continuous stream and the events to MNE.

        Parameters
        ----------
        stream : str, optional
            By default the only ``eeg``, ``ieeg`` or ``meg`` stream.

        Returns
        -------
        mne.io.RawArray
            With channel types, positions, bads and annotations.

        Examples
        --------
        >>> import numpy as np
        >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 2))
        >>> Recording.from_array(x, 50, ["Cz", "Pz"]).to_mne().ch_names
        ['Cz', 'Pz']
        """
        from neurokit.recording.mne_conversion import to_mne

        return to_mne(self, stream)

    def to_nifti(self, stream: str = "bold") -> nibabel.Nifti1Image:
        """Convert a voxel stream back to a 4-D image.

        Parameters
        ----------
        stream : str
            A stream over ``(time, voxel)`` that came from an image.

        Returns
        -------
        nibabel.Nifti1Image
            On the original grid, zero outside of the mask.

        Examples
        --------
        >>> import nibabel, numpy as np
        >>> image = nibabel.Nifti1Image(np.ones((2, 3, 4, 5), np.float32), np.eye(4))
        >>> Recording.from_nifti(image, repetition_time=2.0).to_nifti().shape
        (2, 3, 4, 5)
        """
        from neurokit.recording.nifti_conversion import to_nifti

        return to_nifti(self, stream)

    def to_nwb(self) -> pynwb.NWBFile:
        """Convert to an NWB object, ready for :class:`pynwb.NWBHDF5IO`.

        Returns
        -------
        pynwb.NWBFile
            Units, series, intervals and electrodes.

        Examples
        --------
        >>> len(Recording.from_spikes([0.1, 0.4], [0, 1], duration=1.0).to_nwb().units)
        2
        """
        from neurokit.recording.nwb_conversion import to_nwb

        require("pynwb", "nwb")
        return to_nwb(self)

    def to_pynapple(self) -> dict[str, pynapple.TsGroup | pynapple.TsdFrame]:
        """Convert each stream and the events to pynapple.

        Returns
        -------
        dict
            ``spikes`` a TsGroup, other streams TsdFrames, ``events`` an IntervalSet.

        Examples
        --------
        >>> Recording.from_spikes([0.1, 0.4], [3, 8], duration=1.0).to_pynapple()["spikes"].index
        array([3, 8])
        """
        from neurokit.recording.pynapple_conversion import to_pynapple

        require("pynapple", "nwb")
        return to_pynapple(self)

    # Display

    def plot(self, time: slice | None = None) -> Figure:
        """Draw every stream and the events on one time axis.

        Parameters
        ----------
        time : slice, optional
            Seconds; by default the first ten.

        Returns
        -------
        matplotlib.figure.Figure
            One panel a stream.

        Examples
        --------
        >>> len(Recording.from_spikes([0.1], [0], duration=1.0).plot().axes)
        1
        """
        from neurokit.recording.drawing import draw

        return draw(self, time)

    def __repr__(self) -> str:
        from neurokit.recording.display import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from neurokit.recording.display import html

        return html(self)


def _check(name: str, data: Stream) -> Stream:
    if isinstance(data, xr.Dataset):
        if name != "spikes":
            raise DataError(
                f"Stream {name!r} is a Dataset; only 'spikes' is one. Give a DataArray."
            )
        return checks.check_spikes(data)
    if not isinstance(data, xr.DataArray):
        raise DataError(
            f"Stream {name!r} is a {type(data).__name__}, expected an xarray.DataArray. Try "
            f"Recording.from_array(x, sampling_rate, stream={name!r})."
        )
    return checks.check_stream(name, data)


def _dict(meta: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if meta is None else dict(instance("meta", meta, Mapping, "a dict"))


def _recordings(recordings: Iterable[Recording]) -> list[Recording]:
    if not isinstance(recordings, Iterable):
        kind = type(recordings).__name__
        raise DataError(f"Expected a list of recordings to join; got a {kind}.")
    parts = [instance("A part", r, Recording, "a neurokit Recording") for r in recordings]
    if not parts:
        raise DataError("Nothing to join: concat got no recording.")
    return parts
