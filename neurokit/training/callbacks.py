"""What may be done beside training: look at it after each step and each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from neurokit import arguments
from neurokit.extras import require

__all__ = ["Callback", "State", "TensorBoard"]


@dataclass(frozen=True)
class State:
    """Where training is.

    Attributes
    ----------
    model : Module
        The model that is trained.
    epoch : int
        Which pass over the data, from 1.
    step : int
        Steps done in all.
    lr : float
        Learning rate of the last step.
    metrics : dict
        After a step the scalars of its loss, as tensors that are still on the device; after an
        epoch what the history says of it, as numbers.
    """

    model: nn.Module
    epoch: int
    step: int
    lr: float
    metrics: dict[str, Any]


class Callback(Protocol):
    """Something with these two methods; of several processes the first alone calls it.

    Examples
    --------
    >>> class Printer:
    ...     def on_step(self, state):
    ...         pass
    ...     def on_epoch(self, state):
    ...         print(f"epoch {state.epoch}: {state.metrics['loss']}")
    >>> state = State(nn.Linear(1, 1), epoch=1, step=5, lr=0.1, metrics={"loss": 0.5})
    >>> printer: Callback = Printer()
    >>> printer.on_step(state)
    >>> printer.on_epoch(state)
    epoch 1: 0.5
    """

    def on_step(self, state: State) -> None:
        """Look at training after a step.

        Parameters
        ----------
        state : State
            Where it is.
        """

    def on_epoch(self, state: State) -> None:
        """Look at training after an epoch and its validation, before its checkpoint.

        Parameters
        ----------
        state : State
            Where it is. A run that is killed before the checkpoint repeats the epoch.
        """


class TensorBoard:
    """A callback that writes the scalars of each epoch for TensorBoard.

    Parameters
    ----------
    folder : str or Path
        Where its event files go.

    Raises
    ------
    MissingExtraError
        Without the extra ``tensorboard``.

    Examples
    --------
    >>> import contextlib
    >>> from neurokit.errors import MissingExtraError
    >>> with contextlib.suppress(MissingExtraError):
    ...     board = TensorBoard("logs")  # for fit(…, callbacks=[board]), which calls
    ...     state = State(nn.Linear(1, 1), epoch=1, step=5, lr=0.1, metrics={"loss": 0.5})
    ...     board.on_step(state)
    ...     board.on_epoch(state)
    """

    def __init__(self, folder: str | Path) -> None:
        require("tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(arguments.path_of("folder", folder)))

    def on_step(self, state: State) -> None:
        """Do nothing: a line a step would slow training down.

        Parameters
        ----------
        state : State
            Where training is.
        """

    def on_epoch(self, state: State) -> None:
        """Write what the history says of the epoch.

        Parameters
        ----------
        state : State
            Where training is.
        """
        for name, value in state.metrics.items():
            self._writer.add_scalar(name, value, state.epoch)
        self._writer.flush()
