"""The numbers that decide how a model is trained."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.training.devices import PRECISIONS

__all__ = ["Plan", "Rhythm"]


@dataclass(frozen=True)
class Plan:
    """Settings of a run, which it and its continuation must share; see :func:`fit`.

    Attributes
    ----------
    epochs, batch_size, accumulate, seed : int
        Counts and the seed.
    patience : int or None
        Epochs without progress after which training stops.
    lr, min_lr, warmup, weight_decay : float
        Of the optimiser.
    precision : str
        Of the forward pass.

    Examples
    --------
    >>> Plan(epochs=2, batch_size=8, lr=1e-3, warmup=1.5)
    Traceback (most recent call last):
    neurokit.errors.DataError: warmup is 1.5, expected a share of the steps from 0 to below 1.
    """

    epochs: int
    batch_size: int
    lr: float
    min_lr: float = 0.0
    warmup: float = 0.05
    weight_decay: float = 0.01
    precision: str = "auto"
    accumulate: int = 1
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("accumulate", 1), ("seed", 0)):
            arguments.whole(name, getattr(self, name), least=least)
        if self.patience is not None:
            arguments.whole("patience", self.patience, least=1)
        arguments.positive("lr", self.lr)
        if not 0 <= arguments.number("min_lr", self.min_lr) <= self.lr:
            raise DataError(f"min_lr is {self.min_lr}, expected a rate from 0 to lr ({self.lr:g}).")
        if not 0 <= arguments.number("warmup", self.warmup) < 1:
            raise DataError(
                f"warmup is {self.warmup}, expected a share of the steps from 0 to below 1."
            )
        if arguments.number("weight_decay", self.weight_decay) < 0:
            raise DataError(f"weight_decay is {self.weight_decay}, expected 0 or more.")
        if self.accumulate > self.batch_size:
            raise DataError(
                f"accumulate is {self.accumulate}, more pieces than the {self.batch_size} samples "
                "of a batch."
            )
        arguments.known("precision", self.precision, PRECISIONS)


class Rhythm:
    """Says when it is time for the next checkpoint within an epoch.

    Parameters
    ----------
    every : int, str or timedelta
        So many steps, or so much time, such as ``"10 min"``.

    Raises
    ------
    DataError
        Neither a number of steps nor a time.

    Examples
    --------
    >>> rhythm = Rhythm(2)
    >>> [rhythm.due() for _ in range(4)]
    [False, True, False, True]
    """

    def __init__(self, every: int | str | timedelta) -> None:
        self.steps, self.seconds = math.inf, math.inf
        if isinstance(every, str | timedelta):
            try:
                self.seconds = pd.Timedelta(every).total_seconds()
            except ValueError:
                self.seconds = math.nan
            if not self.seconds > 0:
                raise DataError(
                    f"checkpoint_every is {every!r}, expected a number of steps or a time such as "
                    "'10 min'."
                )
        else:
            self.steps = arguments.whole("checkpoint_every", every, least=1)
        self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self.done, self.began = 0, time.monotonic()

    def due(self) -> bool:
        """Count a step, and say whether a checkpoint is due after it.

        Returns
        -------
        bool
            If so, counting starts anew.
        """
        self.done += 1
        if self.done < self.steps and time.monotonic() - self.began < self.seconds:
            return False
        self.restart()
        return True
