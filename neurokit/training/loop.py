"""The training loop: whatever the model, it is this one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.progress import progress_bar
from neurokit.training.checkpoints import load_checkpoint, save_checkpoint, trained_state
from neurokit.training.devices import autocast, find_device, moved
from neurokit.training.schedule import batches, learning_rate, parameter_groups

__all__ = ["Run", "fit"]

LARGEST_GRADIENT = 1.0


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
        Epochs that an earlier, interrupted run had done.
    """

    model: nn.Module
    history: pd.DataFrame
    resumed_at: int


def fit(
    model: nn.Module,
    win: Any,
    validation: Any = None,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    weight_decay: float = 0.01,
    device: str | torch.device = "auto",
    precision: str = "auto",
    checkpoint_dir: str | Path | None = None,
    resume: Literal["auto"] | bool = "auto",
    seed: int = 0,
    progress: bool | None = True,
) -> Run:
    """Train a model by AdamW, with warm-up, a cosine decay and clipped gradients.

    Parameters
    ----------
    model : Module
        With ``loss(batch)``, which returns a dict of scalars; ``"loss"`` is minimised, the
        others are recorded. Frozen parameters stay as they are.
    win : data set
        With a length, and ``[i]`` a dict of tensors: windows, or a list of dicts.
    validation : data set, optional
        Scored after each epoch; it never changes the model.
    epochs : int
        Passes over the data.
    batch_size : int
        Samples a step.
    lr : float
        Highest learning rate.
    weight_decay : float
        Of matrices; scales and biases have none.
    device : str or torch.device
        ``"auto"`` takes CUDA where there is one, then Apple's, then the CPU.
    precision : {"auto", "float32", "bfloat16"}
        Of the forward pass. ``"auto"`` is bfloat16 on CUDA, single elsewhere.
    checkpoint_dir : str or Path, optional
        Gets the state after each epoch (``checkpoint.pt``) and ``metrics.jsonl``.
    resume : {"auto", True, False}
        Whether an interrupted run there is continued: ``"auto"`` if there is one, ``True``
        insists on it, ``False`` starts over. On the CPU a continued run ends with the same
        weights, bit for bit, as one that was never interrupted.
    seed : int
        Of the order of samples and of what is random in the model.
    progress : bool, optional
        Show a progress bar over epochs; ``None`` shows one on terminals alone.

    Returns
    -------
    Run
        The model and the course of its training.

    Raises
    ------
    DataError
        No samples, nothing to train, a loss that is not finite, or a checkpoint of a run with
        other settings.

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
    _check(model, win, epochs, batch_size, lr, weight_decay)
    place, folder = find_device(device), None
    if checkpoint_dir is not None:
        folder = arguments.path_of("checkpoint_dir", checkpoint_dir)
    model.to(place)
    optimiser = torch.optim.AdamW(parameter_groups(model, weight_decay), lr=lr)
    n_steps = epochs * math.ceil(len(win) / batch_size)
    settings = {
        **{"epochs": epochs, "batch_size": batch_size, "lr": lr, "weight_decay": weight_decay},
        **{"precision": precision, "seed": seed, "n_samples": len(win)},
        "weights": [f"{k} {tuple(v.shape)}" for k, v in trained_state(model).items()],
    }
    with _own_randomness(seed, place):
        done, history = _restore(folder, settings, resume, model, optimiser, place)
        resumed_at = done
        bar = range(done, epochs)
        for epoch in progress_bar(bar, enabled=progress, desc="fit", unit="epoch"):
            entry = _epoch(model, win, optimiser, (epoch, n_steps, batch_size, lr, seed), precision)
            if validation is not None:
                entry |= _validate(model, validation, batch_size, place, precision)
            history.append(entry)
            if folder is not None:
                save_checkpoint(folder, _state(settings, model, optimiser, place), history)
    model.eval()
    return Run(model, pd.DataFrame(history), resumed_at)


def _epoch(
    model: nn.Module,
    data: Any,
    optimiser: torch.optim.Optimizer,
    plan: tuple[int, int, int, float, int],
    precision: str,
) -> dict[str, float]:
    """Train for one pass over the data."""
    epoch, n_steps, batch_size, lr, seed = plan
    trained = [p for group in optimiser.param_groups for p in group["params"]]
    place = trained[0].device
    step = epoch * math.ceil(len(data) / batch_size)
    model.train()
    total = _Mean()
    # Orders differ between epochs and between seeds, and need no memory of those before.
    for batch in batches(data, batch_size, seed=seed * 1_000_003 + epoch):
        rate = lr * learning_rate(step, n_steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        scalars = _scalars(model, moved(batch, place), precision)
        loss = scalars["loss"]
        if not bool(torch.isfinite(loss.detach())):
            raise DataError(
                f"The loss became {float(loss.detach())} at step {step} (epoch {epoch + 1}). "
                f"Lower lr ({lr:g}), or look for missing or huge values in the data."
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
        optimiser.step()
        total.add(scalars, _size(batch))
        step += 1
    return {"epoch": epoch + 1, "lr": rate, **total.means()}


@torch.no_grad()
def _validate(
    model: nn.Module, data: Any, batch_size: int, place: torch.device, precision: str
) -> dict[str, float]:
    """Score held-out data."""
    model.eval()
    total = _Mean()
    for batch in batches(data, batch_size):
        total.add(_scalars(model, moved(batch, place), precision), _size(batch))
    return {f"validation_{name}": value for name, value in total.means().items()}


class _Mean:
    """Averages over samples, kept on the device so that no step waits for it."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.n = 0

    def add(self, scalars: dict[str, Tensor], n: int) -> None:
        for name, value in scalars.items():
            # Apple's devices have no doubles; one epoch of single ones is exact enough.
            self.sums[name] = (
                self.sums.get(name, torch.zeros(())) + value.detach().float().cpu() * n
            )
        self.n += n

    def means(self) -> dict[str, float]:
        return {name: float(value) / self.n for name, value in self.sums.items()}


def _scalars(model: nn.Module, batch: dict[str, Any], precision: str) -> dict[str, Tensor]:
    """Ask the model for its loss."""
    device = next(model.parameters()).device
    with autocast(device, precision):
        scalars: dict[str, Tensor] = model.loss(batch)  # type: ignore[operator]
    if "loss" not in scalars:
        raise DataError(
            f"{type(model).__name__}.loss returned {list(scalars)}, without 'loss', which is what "
            "training minimises."
        )
    return scalars


def _size(batch: dict[str, Any]) -> int:
    """Return how many samples a batch has."""
    return len(next(value for value in batch.values() if isinstance(value, Tensor)))


def _check(
    model: nn.Module, data: Any, epochs: int, batch_size: int, lr: float, weight_decay: float
) -> None:
    """Refuse what cannot be trained before anything is loaded or written."""
    arguments.like("model", model, "loss", "a model with loss(batch) -> dict of scalars")
    arguments.whole("epochs", epochs, least=1)
    arguments.whole("batch_size", batch_size, least=1)
    arguments.positive("lr", lr)
    if arguments.number("weight_decay", weight_decay) < 0:
        raise DataError(f"weight_decay is {weight_decay}, expected 0 or more.")
    if not len(data):
        raise DataError("The data set is empty: there is nothing to train on.")
    if not any(p.requires_grad for p in model.parameters()):
        raise DataError(f"All parameters of this {type(model).__name__} are frozen.")


@contextmanager
def _own_randomness(seed: int, place: torch.device) -> Iterator[None]:
    """Seed torch for a run, and give the caller's random state back afterwards."""
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _restore(
    folder: Path | None,
    settings: dict[str, Any],
    resume: Literal["auto"] | bool,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    place: torch.device,
) -> tuple[int, list[Any]]:
    """Take over an interrupted run, if there is one and it is wanted."""
    arguments.known("resume", resume, ("auto", True, False))  # type: ignore[arg-type]
    found = load_checkpoint(folder, settings) if folder is not None and resume else None
    if found is None:
        if resume is True:
            raise DataError(f"There is no run to resume in {folder}.")
        return 0, []
    model.load_state_dict({**model.state_dict(), **found["model"]})
    optimiser.load_state_dict(found["optimiser"])
    torch.set_rng_state(found["rng"])
    if place.type == "cuda" and "cuda_rng" in found:
        torch.cuda.set_rng_state(found["cuda_rng"], place)
    return len(found["history"]), list(found["history"])


def _state(
    settings: dict[str, Any],
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    place: torch.device,
) -> dict[str, Any]:
    """Gather what a later run needs to go on."""
    state = {
        "settings": settings,
        "model": trained_state(model),
        "optimiser": optimiser.state_dict(),
        "rng": torch.get_rng_state(),
    }
    if place.type == "cuda":
        state["cuda_rng"] = torch.cuda.get_rng_state(place)
    return state
