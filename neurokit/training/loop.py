"""The training loop: whatever the model, it is this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from torch import nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.training.callbacks import Callback
from neurokit.training.checkpoints import describe_run, load_checkpoint
from neurokit.training.distributed import form_team
from neurokit.training.interruption import interruptible
from neurokit.training.plan import Plan, Rhythm
from neurokit.training.trainer import Trainer
from neurokit.warning import warn

__all__ = ["Run", "fit"]


@dataclass(frozen=True)
class Run:
    """What a training run was.

    Attributes
    ----------
    model : Module
        The trained model, in evaluation mode; the one that was given.
    history : DataFrame
        One row an epoch: ``epoch``, ``lr`` (of its last step), each scalar of the model's
        loss averaged over the samples of the epoch, and the same of the validation set with
        ``validation_`` before it.
    resumed_at : int
        Epochs that an earlier, interrupted run had completed.
    best_epoch : int or None
        With ``patience``, the epoch whose weights the model has; else it has the last ones.
    """

    model: nn.Module
    history: pd.DataFrame
    resumed_at: int
    best_epoch: int | None = None


def fit(
    model: nn.Module,
    win: Any,
    validation: Any = None,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    min_lr: float = 0.0,
    warmup: float = 0.05,
    weight_decay: float = 0.01,
    device: str | torch.device = "auto",
    precision: str = "auto",
    accumulate: int = 1,
    compile: bool = False,
    patience: int | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint_dir: str | Path | None = None,
    checkpoint_every: int | str | timedelta = "10 min",
    resume: Literal["auto"] | bool = "auto",
    seed: int = 0,
    progress: bool | None = True,
) -> Run:
    """Train a model by AdamW, with warm-up, a cosine decay and clipped gradients.

    Started by ``torchrun``, the processes share each batch: the result is that of one process,
    up to rounding and to what the model draws at random. Two things differ with the number of
    processes. Batch norms, such as Du-IN's, normalise by the share of the batch that a process
    has, and the running statistics of the first one are kept; a share should not be small. And
    a codebook that starts by k-means, or is revived, takes its vectors from all shares, but not
    the same ones.

    Parameters
    ----------
    model : Module
        With ``loss(batch)``, which returns a dict of scalars, means over the samples;
        ``"loss"`` is minimised, the others are recorded. Frozen parameters stay as they are,
        and parts that are frozen as a whole stay in evaluation mode. Its ``check(win)``, if it
        has one, decides whether windows fit, its ``check_labels(win)`` whether it can learn what
        those of training are labelled with. Its ``constants(batch)``, if it has that, returns
        tensors, such as the codes of a frozen tokenizer, which are computed once and are then
        part of each batch. Where one of its parts has a text as ``shortfall`` after training,
        as a codebook that saw too few batches, it is given as a warning.
    win : data set
        With a length, and ``[i]`` a dict of tensors: windows, or a list of dicts.
    validation : data set, optional
        Scored after each epoch; it never changes the weights.
    epochs : int
        Passes over the data.
    batch_size : int
        Samples a step, those of all pieces and processes together.
    lr, min_lr : float
        Highest learning rate, and the one that the cosine falls to.
    warmup : float
        Share of all steps in which the rate rises.
    weight_decay : float
        Of matrices; scales and biases have none, nor what modules call ``undecayed``.
    device : str or torch.device
        ``"auto"`` takes CUDA where there is one, then Apple's, then the CPU.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Of the forward pass. ``"auto"`` is bfloat16 on CUDA, single elsewhere; the loss is
        scaled for float16.
    accumulate : int
        Pieces in which a batch is computed where it does not fit the memory. Models that
        gather statistics of their batches see the pieces.
    compile : bool
        Compile the loss by ``torch.compile``, which takes a minute and then saves time.
    patience : int, optional
        Stop after so many epochs without a lower validation loss, and keep the best weights.
    callbacks : sequence of Callback
        With ``on_step(state)`` and ``on_epoch(state)``, such as
        :class:`~neurokit.training.TensorBoard`.
    checkpoint_dir : str or Path, optional
        Gets ``checkpoint.pt`` after each epoch and within long ones, ``metrics.jsonl``,
        ``config.json`` and ``environment.json``. Ctrl-C and SIGTERM then wait for the end of
        the step and for a last checkpoint; a second Ctrl-C does not.
    checkpoint_every : int, str or timedelta
        So many steps, or so much time, between checkpoints within an epoch.
    resume : {"auto", True, False}
        Whether an interrupted run there is continued: ``"auto"`` if there is one, ``True``
        insists on it, ``False`` starts over. On the CPU a continued run ends with the same
        weights, bit for bit, as one that was never interrupted.
    seed : int
        Of the order of samples and of what is random in the model.
    progress : bool, optional
        Show a progress bar; ``None`` shows one on terminals alone.

    Returns
    -------
    Run
        The model and the course of its training.

    Raises
    ------
    DataError
        No samples, nothing to train, a loss that is not finite, or a checkpoint of a run with
        other settings.
    OSError
        A checkpoint that cannot be written, to a full disk for instance; the one before it is
        intact.

    Examples
    --------
    >>> class Mean(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.mean = nn.Parameter(torch.zeros(()))
    ...     def loss(self, batch):
    ...         return {"loss": ((batch["x"] - self.mean) ** 2).mean()}
    >>> data = [{"x": torch.tensor(float(i))} for i in (1, 2, 3)]
    >>> run = fit(Mean(), data, epochs=50, batch_size=3, lr=0.5, device="cpu", progress=False)
    >>> len(run.history), bool(run.history["loss"].iloc[-1] < 1)
    (50, True)
    """
    rates = (lr, min_lr, warmup, weight_decay)
    plan = Plan(epochs, batch_size, *rates, precision, accumulate, patience, seed)
    rhythm = Rhythm(checkpoint_every)
    arguments.known("resume", resume, ("auto", True, False))  # type: ignore[arg-type]
    _check(model, win, validation, patience, callbacks)
    folder = None
    if checkpoint_dir is not None:
        folder = arguments.path_of("checkpoint_dir", checkpoint_dir)
    team = form_team(device)
    model.to(team.place)
    again = f"Training stopped after a checkpoint in {folder}; the same call goes on from there."
    with _own_randomness(team.place), interruptible(folder is not None, again) as asked:
        trainer = Trainer(model, win, validation, plan, team, compile)
        resumed_at = _prepare(trainer, folder, resume)
        trainer.run(folder, rhythm, asked, callbacks, progress)
    model.eval()
    if team.rank == 0:
        _warn_of_shortfalls(model)
    return Run(model, pd.DataFrame(trainer.history), resumed_at, trainer.best_epoch)


def _check(
    model: nn.Module, win: Any, validation: Any, patience: int | None, callbacks: Sequence[Callback]
) -> None:
    """Refuse what cannot be trained before anything is loaded or written."""
    if isinstance(model, type):
        name = model.__name__
        raise DataError(f"model is the class {name}, not a model. Make one first: {name}(...).")
    arguments.like("model", model, "loss", "a model with loss(batch) -> dict of scalars")
    for name, data in (("data set", win), ("validation set", validation)):
        if data is None and name == "validation set":
            continue
        arguments.like(name, data, "__len__", "windows, or a list of dicts of tensors")
        if not len(data):
            raise DataError(f"The {name} is empty: it has no samples.")
        if hasattr(model, "check") and hasattr(data, "sampling_rate"):
            model.check(data)  # type: ignore[operator]
    if hasattr(model, "check_labels") and hasattr(win, "sampling_rate"):
        model.check_labels(win)  # type: ignore[operator]
    if patience is not None and validation is None:
        raise DataError("patience needs a validation set, whose loss says when to stop.")
    for callback in callbacks:
        for method in ("on_step", "on_epoch"):
            arguments.like("A callback", callback, method, f"an object with {method}(state)")
    if not any(p.requires_grad for p in model.parameters()):
        raise DataError(f"All parameters of this {type(model).__name__} are frozen.")


def _warn_of_shortfalls(model: nn.Module) -> None:
    """Pass on what parts of the model still lack."""
    for module in model.modules():
        if told := getattr(module, "shortfall", None):
            warn(told)


@contextmanager
def _own_randomness(place: torch.device) -> Iterator[None]:
    """Give the caller's random state back afterwards."""
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        yield


def _prepare(trainer: Trainer, folder: Path | None, resume: Literal["auto"] | bool) -> int:
    """Take over an interrupted run, if there is one and it is wanted; describe this one."""
    found = None
    if folder is not None and trainer.team.rank == 0:
        settings = trainer.settings
        found = load_checkpoint(folder, settings) if resume else None
        describe_run(folder, settings, trainer.team.place, trainer.team.size)
    found = trainer.team.share(found)
    if found is not None:
        trainer.restore(found)
    elif resume is True:
        where = "without checkpoint_dir" if folder is None else f"in {folder}"
        raise DataError(f"There is no run to resume {where}.")
    return len(trainer.history)
