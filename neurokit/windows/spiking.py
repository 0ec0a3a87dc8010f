"""Windows of spikes with their past, and with what was recorded beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.windows.aligned import Aligned
from neurokit.windows.flat_spikes import FlatSpikes, Places
from neurokit.windows.index import WindowIndex, positions
from neurokit.windows.spike_tokens import lay_out
from neurokit.windows.vocabulary import Vocabulary

__all__ = ["Layout", "SpikeWindows"]


@dataclass(frozen=True)
class Layout:
    """How windows of spikes are cut.

    Attributes
    ----------
    dt : float
        Seconds a step.
    n_samples, n_history, reach : int
        Steps of a window, of its past, and before it of all that it reads.
    max_spikes : int or None
        Most spikes a window.
    beside : dict of str to float
        Streams that are seen beside the spikes, and seconds of each.
    target_names, target_streams : tuple of str
        Variables that are averaged over the window, and the stream that each is of.
    """

    dt: float
    n_samples: int
    n_history: int
    reach: int
    max_spikes: int | None
    beside: dict[str, float]
    target_names: tuple[str, ...]
    target_streams: tuple[str, ...]


class SpikeWindows(WindowIndex):
    """Windows of spikes as tokens, with their past and what was recorded beside them.

    Made by :func:`~neurokit.windows.spike_windows`. A torch data set: ``[i]`` and :meth:`batch`
    give a dict of tensors. The spikes of all recordings stand in one sorted list, and of each
    window it is known where in that list it begins and ends; windows themselves are not stored.

    Parameters
    ----------
    recordings : sequence of Recording
        What the windows are of.
    extent : sequence of int
        Steps of each recording.
    places : Places
        Where the windows lie.
    spikes : FlatSpikes
        Of all recordings.
    vocabulary : Vocabulary
        What the id tokens mean.
    layout : Layout
        How the windows are cut.
    aligned : mapping of str to Aligned
        What is seen beside the spikes.
    targets : ndarray of float32, shape (window, variable), optional
        Means over each window.

    Attributes
    ----------
    vocabulary : Vocabulary
        Session and id of each unit.
    dt : float
        Seconds a step; ``sampling_rate`` is steps a second.
    history : float
        Seconds of past that a window reads; ``n_history`` steps.
    n_samples, first_sample, reach : int, ndarray of int, int
        Steps a window; step of its recording at which each begins; steps before it that are
        read, be it by the past or by a stream beside it.
    beside : dict of str to float
        Streams that are seen beside the spikes, and seconds of each.
    sizes : dict of str to tuple of int
        Shape of what one window sees of each: (sample, variable) or (sample, row, column).
    target_names, target_streams : tuple of str
        Variables whose mean over the window is its target, and the stream that each is of: a
        model that also sees that stream beside the spikes reads the answer, not the spikes.
    targets : ndarray of float32, shape (window, variable), or None
        Those means, NaN where there is none.
    n_spikes : ndarray of int, shape (window,)
        Spikes of each window.
    trial : ndarray of int, shape (window,), or None
        Trial of each window, numbered over all recordings.
    dropped : int
        Spikes that ``max_spikes`` cut off these windows.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        extent: Sequence[int],
        places: Places,
        spikes: FlatSpikes,
        vocabulary: Vocabulary,
        layout: Layout,
        aligned: Mapping[str, Aligned],
        targets: NDArray[np.float32] | None = None,
    ) -> None:
        n_samples, rate = layout.n_samples, 1 / layout.dt
        super().__init__(recordings, rate, n_samples, places.recording, places.first, layout.reach)
        self.extent, self.vocabulary, self.layout = np.asarray(extent), vocabulary, layout
        self.dt, self.n_history, self.beside = layout.dt, layout.n_history, layout.beside
        self.history = layout.n_history * layout.dt
        self.target_names, self.target_streams = layout.target_names, layout.target_streams
        self.sizes = {name: one.shape for name, one in aligned.items()}
        self.start = places.start
        self.trial = places.trial if places.trial.min(initial=0) >= 0 else None
        self._places, self._spikes, self._aligned = places, spikes, dict(aligned)
        self.targets = targets
        self._bounds()
        facts: dict[str, NDArray[Any] | None] = {
            "recording": self.recording_index,
            "start": self.start,
            "trial": self.trial,
            "target": targets,
        }
        # NumPy, because to index a few rows of a tensor takes ten times as long.
        self._facts = {name: fact for name, fact in facts.items() if fact is not None}

    @property
    def variables(self) -> dict[str, tuple[str, ...]]:
        """Names of what each stream beside the spikes consists of, in order; none of frames."""
        streams = {name: self.recordings[0][name] for name in self.beside}
        return {
            name: tuple(map(str, stream[stream.dims[1]].values)) if stream.ndim == 2 else ()
            for name, stream in streams.items()
        }

    @property
    def target_units(self) -> tuple[str, ...]:
        """Unit of each target, empty where its stream has none."""
        streams = [self.recordings[0][name] for name in self.target_streams]
        return tuple(str(stream.attrs.get("units", "")) for stream in streams)

    def _bounds(self) -> None:
        """Find where in the list of spikes each window begins and ends."""
        n_history, n_samples = self.layout.n_history, self.layout.n_samples
        self._bin = self._spikes.base[self.recording_index] + self.first_sample
        past, first, stop = self._spikes.find(self._bin, (-n_history, 0, n_samples))
        self._past, self._n_past, self._first = past, first - past, first
        self.n_spikes, most = stop - first, self.layout.max_spikes
        self.dropped = 0
        if most is not None:
            self.dropped = int(np.maximum(self.n_spikes - most, 0).sum())
            self.n_spikes = np.minimum(self.n_spikes, most)

    def __repr__(self) -> str:
        beside = f", beside {', '.join(self.beside)}" if self.beside else ""
        targets = f", targets {', '.join(self.target_names)}" if self.target_names else ""
        return (
            f"<SpikeWindows: {len(self)} of {self.length:g} s with {self.history:g} s of past, "
            f"{len(self.vocabulary)} units in {len(self.recordings)} recordings{beside}{targets}>"
        )

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return window ``index``: what :meth:`batch` gives, for one window."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"Window {index} of {len(self)}.")
        return {name: value[0] for name, value in self.batch([index]).items()}

    def batch(self, indices: Sequence[int] | np.ndarray) -> dict[str, torch.Tensor]:
        """Return several windows, padded to the longest of them.

        Parameters
        ----------
        indices : sequence of int
            Which windows.

        Returns
        -------
        dict of torch.Tensor
            ``id`` and ``step`` (window, token) of the window's spikes, ``SOS`` before them and
            ``EOS`` behind; ``past_id`` and ``past_step`` (window, token) of those before it,
            with steps counted from the beginning of the past; each stream of ``beside`` under
            its name (window, sample, ...); ``target`` (window, variable); ``recording``,
            ``start`` (s) and ``trial``. See :mod:`neurokit.windows.spike_tokens` for the tokens.

        Examples
        --------
        >>> from neurokit.windows import spike_windows
        >>> rec = Recording.from_spikes([0.05, 0.12, 0.17], [4, 9, 4], duration=0.2)
        >>> batch = spike_windows(rec, length=0.1, history=0.1, dt=0.05).batch([0])
        >>> {name: batch[name].tolist() for name in ("id", "step", "past_id", "past_step")}
        {'id': [[1, 4, 3, 2]], 'step': [[1, 3, 4, 2]], 'past_id': [[3]], 'past_step': [[4]]}
        """
        rows = positions(indices, len(self))
        spikes, bin = self._spikes, self._bin[rows]
        out: dict[str, torch.Tensor] = {}
        parts = (
            ("", self._first, self.n_spikes, bin, True),
            ("past_", self._past, self._n_past, bin - self.n_history, False),
        )
        for prefix, first, count, begin, framed in parts:
            id, step = lay_out(
                spikes.id, spikes.bin, first[rows], count[rows], begin, framed=framed
            )
            out[f"{prefix}id"], out[f"{prefix}step"] = torch.from_numpy(id), torch.from_numpy(step)
        out |= {name: one.batch(rows) for name, one in self._aligned.items()}
        return out | {k: torch.from_numpy(fact[rows]) for k, fact in self._facts.items()}

    def groups(self, key: str) -> np.ndarray:
        """Return what each window's recording says of itself, or which trial a window is of.

        Parameters
        ----------
        key : str
            ``"trial"``, ``"recording"`` or a key of ``meta``.

        Returns
        -------
        ndarray of shape (window,)
            For splits by group and for scores by group.

        Raises
        ------
        DataError
            If trials are asked for, and windows were not cut within trials.

        Examples
        --------
        >>> from neurokit.windows import spike_windows
        >>> rec = Recording.from_spikes([0.1], [0], duration=2.0, trials=[[0, 1], [1, 2]])
        >>> spike_windows(rec, length=0.25, history=0.5, within="trial").groups("trial")
        array([0, 0, 1, 1])
        """
        if key != "trial":
            return super().groups(key)
        if self.trial is None:
            raise DataError("These windows were cut without trials. Give within='trial'.")
        return self.trial

    def _taken(self, rows: np.ndarray) -> SpikeWindows:
        return SpikeWindows(
            self.recordings,
            self.extent.tolist(),
            self._places.take(rows),
            self._spikes,
            self.vocabulary,
            self.layout,
            {name: one.take(rows) for name, one in self._aligned.items()},
            None if self.targets is None else self.targets[rows],
        )
