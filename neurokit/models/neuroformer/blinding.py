"""Spike windows in which an input is withheld."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurokit.errors import UnknownNameError
from neurokit.windows.spike_tokens import PAD

__all__ = ["PAST", "Blinded"]

PAST = "past"


class Blinded:
    """Spike windows in which one input is the same in all: nothing can be told from it.

    In all else they are the windows that they are made of.

    Parameters
    ----------
    win : SpikeWindows
        To be blinded.
    gone : str
        ``"past"``, which is then empty, or a stream beside the spikes, which is then 0, the
        mean of z-scores.

    Raises
    ------
    UnknownNameError
        There is no such input.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.31, 0.35, 0.62], [0, 1, 0], duration=1.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.3)
    >>> [int((w.batch([3])["past_id"] > 0).sum()) for w in (win, Blinded(win, "past"))]
    [2, 0]
    """

    def __init__(self, win: Any, gone: str) -> None:
        if gone != PAST and gone not in win.beside:
            raise UnknownNameError("input", gone, [PAST, *win.beside])
        self.win, self.gone = win, gone

    def __len__(self) -> int:
        return len(self.win)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("win", "gone"):  # while being copied
            raise AttributeError(name)
        return getattr(self.win, name)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return window ``index``, blinded."""
        return self._blind(self.win[index])

    def batch(self, rows: Sequence[int] | np.ndarray) -> dict[str, Tensor]:
        """Return several windows, blinded.

        Parameters
        ----------
        rows : sequence of int
            Which windows.

        Returns
        -------
        dict of Tensor
            As of the windows.
        """
        return self._blind(self.win.batch(rows))

    def take(self, rows: Sequence[int] | np.ndarray) -> Blinded:
        """Return the windows at some rows, blinded as well.

        Parameters
        ----------
        rows : sequence of int or bool
            Which windows.

        Returns
        -------
        Blinded
            Over the same recordings.
        """
        return Blinded(self.win.take(rows), self.gone)

    def _blind(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.gone != PAST:
            return {**batch, self.gone: torch.zeros_like(batch[self.gone])}
        empty = torch.full_like(batch["past_id"][..., :1], PAD)
        return {**batch, "past_id": empty, "past_step": empty.clone()}
