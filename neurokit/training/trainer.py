"""One pass after another over the data: what happens between a plan and a trained model."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neurokit import devices
from neurokit.collectives import summed
from neurokit.errors import DataError
from neurokit.progress import progress_bar
from neurokit.training.batches import batch_of, batch_rows, fingerprint, seed_step
from neurokit.training.callbacks import Callback, State
from neurokit.training.checkpoints import model_settings, save_checkpoint, trained_state
from neurokit.training.constants import with_constants
from neurokit.training.devices import autocast
from neurokit.training.distributed import Team
from neurokit.training.plan import Plan, Rhythm
from neurokit.training.scalars import FiniteWatch, Means, Objective
from neurokit.training.schedule import learning_rate, parameter_groups

__all__ = ["Trainer"]

LARGEST_GRADIENT = 1.0
STEPS_UNSEEN = 50  # between two looks at what an accelerator computes
FUSED = ("cpu", "cuda", "mps")
VALIDATION = -1  # in place of a step, for what is drawn there


class Trainer:
    """A model, what it is trained on, and how far training is.

    Parameters
    ----------
    model : Module
        On the team's device.
    data, validation : data set
        See :func:`~neurokit.training.fit`.
    plan : Plan
        Settings.
    team : Team
        The processes that train together.
    compiled : bool
        Whether the loss is compiled.
    """

    def __init__(
        self, model: nn.Module, data: Any, validation: Any, plan: Plan, team: Team, compiled: bool
    ) -> None:
        self.model, self.data, self.validation = model, data, validation
        self.seen = [data, validation]
        self.plan, self.team = plan, team
        groups = parameter_groups(model, plan.weight_decay)
        fused = team.place.type in FUSED
        self.optimiser = torch.optim.AdamW(groups, lr=plan.lr, fused=fused)
        self.trained = [p for group in groups for p in group["params"]]
        self.scaler = torch.amp.GradScaler(team.place.type, enabled=plan.precision == "float16")
        objective = Objective(model)
        self.objective: nn.Module = torch.compile(objective) if compiled else objective  # type: ignore[assignment]
        self.parallel = team.parallel(self.objective)
        self.watch = FiniteWatch(team.place)
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] | None = None
        self.done, self.means = 0, Means()
        self.steps_an_epoch = math.ceil(len(data) / plan.batch_size)
        self.n_steps = plan.epochs * self.steps_an_epoch

    @functools.cached_property
    def settings(self) -> dict[str, Any]:
        """Return what a run must share with the one it continues.

        The plan, what the model is, and what tells data apart.
        """
        return {
            **model_settings(self.model),
            **dataclasses.asdict(self.plan),
            "n_samples": len(self.data),
            "training data": fingerprint(self.data),
            "validation data": None if self.validation is None else fingerprint(self.validation),
        }

    def state(self) -> dict[str, Any]:
        """Return how far training is.

        Returns
        -------
        dict
            Weights, optimiser, place in the epoch, averages so far, and the best weights.
        """
        return {
            "model": trained_state(self.model),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "done": self.done,
            "sums": self.means.sums,
            "best": self.best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where another run was.

        Parameters
        ----------
        state : dict
            What :meth:`state` gave there, and its history.
        """
        self.model.load_state_dict({**self.model.state_dict(), **state["model"]})
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.done, self.means = state["done"], Means(state["sums"])
        self.best, self.history = state["best"], list(state["history"])

    @property
    def best_epoch(self) -> int | None:
        """Number of epochs after which the validation loss was lowest, if it decides."""
        if self.plan.patience is None or not self.history:
            return None
        losses = [entry["validation_loss"] for entry in self.history]
        return losses.index(min(losses)) + 1

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the last ones brought nothing."""
        waited = len(self.history) - (self.best_epoch or len(self.history))
        return len(self.history) >= self.plan.epochs or waited >= (self.plan.patience or math.inf)

    def run(
        self,
        folder: Path | None,
        rhythm: Rhythm,
        asked: list[int],
        callbacks: Sequence[Callback],
        progress: bool | None,
    ) -> None:
        """Train until the end or until asked to stop, from wherever training is.

        Parameters
        ----------
        folder : Path or None
            Gets checkpoints, by the first process.
        rhythm : Rhythm
            When, within an epoch.
        asked : list
            Not empty as soon as somebody wants training to stop, after a step and a checkpoint.
        callbacks : sequence of Callback
            Called by the first process.
        progress : bool or None
            Whether to show a progress bar.

        Raises
        ------
        DataError
            A loss that is not finite.
        """

        def save() -> None:
            self._check_finite()
            if folder is not None and self.team.rank == 0:
                save_checkpoint(folder, {"settings": self.settings, **self.state()}, self.history)

        n, size = len(self.data), self.plan.batch_size
        shown = progress if self.team.rank == 0 else False
        if not self.finished:
            self.seen = [
                None if data is None else with_constants(self.model, data, size, asked, shown)
                for data in (self.data, self.validation)
            ]
        with progress_bar(
            total=self.plan.epochs * n,
            initial=len(self.history) * n + min(self.done * size, n),
            enabled=shown,
            unit=" samples",
        ) as bar:
            while not (self.finished or asked):
                self._epoch(rhythm, asked, save, callbacks, bar)
                save()
                rhythm.restart()
        if self.best is not None and self.finished:
            self.model.load_state_dict({**self.model.state_dict(), **self.best})

    def _epoch(
        self,
        rhythm: Rhythm,
        asked: list[int],
        save: Callable[[], None],
        callbacks: Sequence[Callback],
        bar: Any,
    ) -> None:
        """Train for what is left of one pass over the data, and note how it went."""
        epoch, plan = len(self.history), self.plan
        bar.set_description(f"epoch {epoch + 1}/{plan.epochs}", refresh=False)
        # Orders differ between epochs and between seeds, and need no memory of those before.
        rows = batch_rows(len(self.data), plan.batch_size, seed=plan.seed * 1_000_003 + epoch)
        _train_mode(self.model)
        for mine in rows[self.done :]:
            step = epoch * self.steps_an_epoch + self.done
            scalars = self._step(mine, step)
            self.means.add(scalars, len(mine))
            self.done += 1
            self._tell(callbacks, "on_step", epoch, step, scalars)
            self._show(bar, len(mine), step, scalars)
            if asked:
                return
            if rhythm.due():
                save()
        self._check_finite()
        entry = {"epoch": epoch + 1, "lr": self._rate(self.n_steps_done - 1), **self.means.values()}
        self.team.align_buffers(self.model)
        entry |= self._validate()
        self.history.append(entry)
        self.done, self.means = 0, Means()
        if self.best_epoch == len(self.history):
            kept = trained_state(self.model)
            self.best = {name: value.detach().cpu().clone() for name, value in kept.items()}
        self._tell(callbacks, "on_epoch", epoch, self.n_steps_done - 1, entry)

    @property
    def n_steps_done(self) -> int:
        """Steps since training began."""
        return len(self.history) * self.steps_an_epoch + self.done

    def _rate(self, step: int) -> float:
        plan = self.plan
        return learning_rate(step, self.n_steps, plan.lr, plan.min_lr, plan.warmup)

    def _step(self, rows: list[int], step: int) -> dict[str, Tensor]:
        """Change the weights once, and return the means of the batch over all processes."""
        team, names = self.team, []
        vector = torch.zeros((), device=team.place)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate(step)
        self.optimiser.zero_grad(set_to_none=True)
        pieces = team.pieces(rows, self.plan.accumulate)
        for number, (piece, weight) in enumerate(pieces):
            seed_step(team.place, self.plan.seed, step, team.rank, number)
            with team.synchronising(self.parallel, last=number == len(pieces) - 1):
                scalars = self._scalars(self.parallel, self.seen[0], piece)
                # Processes are averaged, and shares of a batch must be added up.
                self.scaler.scale(scalars["loss"] * (weight * team.size)).backward()
            names = list(scalars)
            vector = vector + self._vector(scalars) * weight
        means = dict(zip(names, summed(vector), strict=True))
        self.scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_(self.trained, LARGEST_GRADIENT)
        # Gradients in half precision overflow now and then: the scaler leaves such a step out.
        self.watch.look(step, means["loss"], *([] if self.scaler.is_enabled() else [norm]))
        if self.team.place.type == "cpu" or step % STEPS_UNSEEN == 0:
            self._check_finite()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return means

    def _scalars(self, module: nn.Module, data: Any, rows: list[int]) -> dict[str, Tensor]:
        """Ask the model for its loss."""
        batch = devices.moved(batch_of(data, rows), self.team.place)
        with autocast(self.team.place, self.plan.precision):
            return module(batch)

    def _vector(self, scalars: dict[str, Tensor]) -> Tensor:
        # Without doubles, one epoch of single ones is exact enough.
        wide = torch.float64 if devices.has_doubles(self.team.place) else torch.float32
        return torch.stack([value.detach().to(wide) for value in scalars.values()])

    def _check_finite(self) -> None:
        self.watch.check(self.steps_an_epoch, self.plan.lr)

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Score held-out data; what is random there is the same after each epoch."""
        if self.validation is None:
            return {}
        self.model.eval()
        names, total = [], torch.zeros((), device=self.team.place)
        for number, rows in enumerate(batch_rows(len(self.validation), self.plan.batch_size)):
            piece, share = self.team.pieces(rows, 1)[0]
            seed_step(self.team.place, self.plan.seed, VALIDATION, self.team.rank, number)
            scalars = self._scalars(self.objective, self.seen[1], piece)
            total = total + self._vector(scalars) * (share * len(rows))
            names = list(scalars)
        values = (summed(total) / len(self.validation)).tolist()
        entry = {f"validation_{name}": v for name, v in zip(names, values, strict=True)}
        if not math.isfinite(entry["validation_loss"]):
            raise DataError(
                f"The validation loss is {entry['validation_loss']} after epoch "
                f"{len(self.history) + 1}. Look for missing or huge values in the validation data."
            )
        return entry

    def _tell(
        self, callbacks: Sequence[Callback], what: str, epoch: int, step: int, metrics: Any
    ) -> None:
        if callbacks and self.team.rank == 0:
            state = State(self.model, epoch + 1, step + 1, self._rate(step), dict(metrics))
            for callback in callbacks:
                getattr(callback, what)(state)

    def _show(self, bar: Any, n: int, step: int, scalars: dict[str, Tensor]) -> None:
        if bar.disable:
            return
        bar.update(n)
        if self.team.place.type == "cpu" or step % STEPS_UNSEEN == 0:
            bar.set_postfix(loss=f"{float(scalars['loss']):.4g}", refresh=False)


def _train_mode(model: nn.Module) -> None:
    """Switch to training, but for parts that are frozen as a whole, such as a backbone."""
    model.train()
    for module in model.modules():
        weights = list(module.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            module.eval()
