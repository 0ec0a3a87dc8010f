"""Windows of spikes, each drawn from the model and appended to the past of the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neurokit.errors import DataError
from neurokit.models.neuroformer.sampling import SamplingRule, draw_tokens, not_before
from neurokit.models.neuroformer.stepping import Stepper
from neurokit.models.neuroformer.unit_pairs import impossible_ids
from neurokit.windows.spike_tokens import EOS, FIRST, PAD, SOS

__all__ = ["FreeRun", "Settings", "Tokens", "advanced", "stretches"]

# Draws come in blocks, so that what a window takes does not depend on the longest allowed.
_BLOCK = 64


class Tokens(NamedTuple):
    """Spikes of one window of each row.

    Attributes
    ----------
    id, step : Tensor of int64, shape (row, spike)
        Tokens, without start and end, ``PAD`` behind the shorter ones.
    place : ndarray, shape (row, spike)
        Where in its step each spike is, from 0 to below 1.
    n_full : int
        Rows that were cut off before they ended.
    """

    id: Tensor
    step: Tensor
    place: np.ndarray
    n_full: int


@dataclass(frozen=True)
class Settings:
    """How windows are generated.

    Parameters
    ----------
    rule : SamplingRule
        How tokens are drawn.
    limit : int
        Most spikes of a window.
    warm_up : bool
        Whether the past of the first window of a stretch is the true one, or empty.
    seed : int
        Of all draws.
    """

    rule: SamplingRule
    limit: int
    warm_up: bool
    seed: int


def stretches(win: Any, longest: int | None) -> list[np.ndarray]:
    """Join windows that follow each other without a gap in one recording.

    Windows of two trials never do, since their past lies in between.

    Parameters
    ----------
    win : SpikeWindows
        In any order.
    longest : int, optional
        Most windows of a stretch.

    Returns
    -------
    list of ndarray of int
        Positions of the windows of each stretch, in the order of time.

    Raises
    ------
    DataError
        Windows that overlap, so that time would be generated twice.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> win = SimpleNamespace(recording_index=np.zeros(4, int), n_samples=5, recordings=[None],
    ...                       first_sample=np.array([0, 5, 20, 10]))
    >>> stretches(win, None)
    [array([0, 1, 3]), array([2])]
    """
    order = np.lexsort((win.first_sample, win.recording_index))
    recording, first = win.recording_index[order], win.first_sample[order]
    same, apart = np.diff(recording) == 0, np.diff(first)
    if (same & (apart < win.n_samples)).any():
        raise DataError(
            "Windows overlap, so that some time would be generated twice. Cut them with "
            "stride=length."
        )
    joined = same & (apart == win.n_samples)
    runs = np.split(order, np.flatnonzero(~joined) + 1)
    size = longest or len(order)
    return [run[i : i + size] for run in runs for i in range(0, len(run), size)]


def advanced(
    past: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor], history: int, length: int
) -> tuple[Tensor, Tensor]:
    """Move on by a window: what was generated becomes past, what is too old is forgotten.

    Parameters
    ----------
    past : pair of Tensor of int64, shape (row, spike)
        Ids and steps, the latter counted from the past's beginning.
    new : pair of Tensor of int64, shape (row, spike)
        Of the window, counted from its own beginning.
    history, length : int
        Steps of the past and of a window.

    Returns
    -------
    pair of Tensor of int64, shape (row, spike)
        The past of the next window, ``PAD`` behind, at least one wide.

    Examples
    --------
    >>> past = torch.tensor([[7, 8]]), torch.tensor([[3, 7]])
    >>> advanced(past, (torch.tensor([[9]]), torch.tensor([[4]])), history=5, length=2)
    (tensor([[8, 9]]), tensor([[5, 7]]))
    """
    ids = torch.cat([past[0], new[0]], dim=1)
    steps = torch.cat([past[1] - length, new[1] + (history - length)], dim=1)
    gone = (ids == PAD) | (steps < FIRST)
    order = gone.to(torch.uint8).argsort(dim=1, stable=True)
    kept = order[:, : max(1, ids.shape[1] - int(gone.sum(dim=1).min()))]
    empty = gone.gather(1, kept)
    ids, steps = (t.gather(1, kept).masked_fill_(empty, PAD) for t in (ids, steps))
    return ids, steps


class FreeRun:
    """Stretches that are generated together, one window of each at a time.

    Parameters
    ----------
    model : Neuroformer
        Which windows are drawn from.
    win : SpikeWindows
        Where in time the windows are, and what stimulus and behaviour they have. Their own
        spikes are never read, but for the past of a stretch's first window.
    rows : sequence of (ndarray of int, int)
        The windows of each stretch, and the number of the sample, which seeds it; the longest
        stretch first.
    settings : Settings
        How to generate.
    device : torch.device
        Where the model is.

    Examples
    --------
    See :func:`neurokit.models.neuroformer.generation.generate`.
    """

    def __init__(
        self,
        model: Any,
        win: Any,
        rows: Sequence[tuple[np.ndarray, int]],
        settings: Settings,
        device: torch.device,
    ) -> None:
        self.model, self.win, self.settings, self.device = model, win, settings, device
        self.windows = [windows for windows, _ in rows]
        recording, first = win.recording_index, win.first_sample
        self.random = [
            np.random.default_rng([settings.seed, recording[w[0]], first[w[0]], sample])
            for w, sample in rows
        ]
        self.impossible = impossible_ids(win)[[recording[w[0]] for w in self.windows]].to(device)
        self.stepper = Stepper(model)
        self.beside = [m.name for m in model.config.modalities]

    def __iter__(self) -> Iterator[tuple[np.ndarray, Tokens]]:
        """Yield the positions of the windows of all rows that are not at their end, and spikes."""
        lengths = np.array([len(windows) for windows in self.windows])
        start = self._batch(np.array([windows[0] for windows in self.windows]))
        past = start["past_id"], start["past_step"]
        if not self.settings.warm_up:
            past = (torch.full_like(past[0][:, :1], PAD),) * 2
        for number in range(lengths[0]):
            n = int((lengths > number).sum())
            here = np.array([windows[number] for windows in self.windows[:n]])
            past = past[0][:n], past[1][:n]
            yield here, (tokens := self._window(here, past))
            past = advanced(past, (tokens.id, tokens.step), self.win.n_history, self.win.n_samples)

    def _batch(self, here: np.ndarray) -> dict[str, Tensor]:
        wanted = {"past_id", "past_step", *self.beside}
        batch = self.win.batch(here)
        return {key: batch[key].to(self.device) for key in wanted}

    def _window(self, here: np.ndarray, past: tuple[Tensor, Tensor]) -> Tokens:
        batch = {"past_id": past[0], "past_step": past[1]}
        if self.beside:
            batch = self._batch(here) | batch
        return self._drawn(self.model.context(batch), len(here))

    def _drawn(self, context: Any, n_rows: int) -> Tokens:
        """Draw spikes until each row has ended, or has as many as are allowed."""
        model, rule = self.model, self.settings.rule
        self.stepper.start(context, n_rows)
        rows = torch.arange(n_rows, device=self.device)
        token = step = torch.full_like(rows, SOS)
        ended = torch.zeros_like(rows, dtype=torch.bool)
        blocks: list[tuple[Tensor, np.ndarray]] = []
        for n in range(self.settings.limit):
            at = n % _BLOCK
            if at == 0:
                uniform, places = self._draws(rows[~ended].tolist(), n_rows)
                made = rows.new_full((2, n_rows, _BLOCK), PAD)
                blocks.append((made, places))
            hidden = self.stepper(token, step)
            if at == 0 and not bool(hidden.isfinite().all()):
                raise DataError("The model's output is not finite. Did its training diverge?")
            logits = model.id_logits(hidden).masked_fill(self.impossible[rows], -torch.inf)
            token = draw_tokens(logits, uniform[0, at, rows], rule)
            ended = ended | (token == EOS)
            n_ended = int(ended.sum())
            if n_ended == len(rows):
                break
            if n_ended * 4 > len(rows):
                # Rows that have ended cost as much as the others.
                left = (~ended).nonzero()[:, 0]
                rows, token, step, hidden, ended = (
                    t[left] for t in (rows, token, step, hidden, ended)
                )
                self.stepper.keep(left)
            logits = not_before(model.step_logits(hidden, token), step)
            step = draw_tokens(logits, uniform[1, at, rows], rule)
            made[:, rows, at] = torch.stack([token, step]).masked_fill_(ended, PAD)
        return _gathered(blocks, int((~ended).sum()))

    def _draws(self, rows: Sequence[int], n_rows: int) -> tuple[Tensor, np.ndarray]:
        """Return uniform numbers for unit and step, and for the place, of the next tokens.

        Only of the given rows: how long the others go on must not change what a row that has
        ended draws in its next window.
        """
        out = np.zeros((n_rows, 3, _BLOCK))
        for row in rows:
            self.random[row].random(out=out[row])
        uniform = torch.from_numpy(out[:, :2].transpose(1, 2, 0).astype(np.float32))
        return uniform.to(self.device), out[:, 2]


def _gathered(blocks: Sequence[tuple[Tensor, np.ndarray]], n_full: int) -> Tokens:
    """Join blocks of tokens, as long as the longest row has."""
    ids, steps = torch.cat([made for made, _ in blocks], dim=2)
    places = np.concatenate([place for _, place in blocks], axis=1)
    n = int((ids != PAD).sum(dim=1).max())
    return Tokens(ids[:, :n], steps[:, :n], places[:, :n], n_full)
