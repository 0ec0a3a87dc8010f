"""The numbers that a model's loss gives, kept where they are until somebody must know them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from neurokit.errors import DataError

__all__ = ["FiniteWatch", "Means", "Objective"]


class Objective(nn.Module):
    """A model's loss as the forward pass of a module, which is what torch compiles and shares.

    Parameters
    ----------
    model : Module
        With ``loss(batch)``, a dict of scalars.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> model.loss = lambda batch: {"error": torch.zeros(())}
    >>> Objective(model)({})
    Traceback (most recent call last):
    neurokit.errors.DataError: Linear.loss returned ['error'], without 'loss', which is what ...
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Return the scalars of a batch; the loss alone has a gradient.

        Parameters
        ----------
        batch : dict
            What the model's loss takes.

        Returns
        -------
        dict of Tensor
            Scalars.

        Raises
        ------
        DataError
            No ``"loss"`` among them, or something that is no scalar.
        """
        scalars = self.model.loss(batch)  # type: ignore[operator]
        name = type(self.model).__name__
        if "loss" not in scalars:
            raise DataError(
                f"{name}.loss returned {list(scalars)}, without 'loss', which is what training "
                "minimises."
            )
        out = {}
        for key, value in scalars.items():
            value = torch.as_tensor(value, device=scalars["loss"].device)
            if value.ndim:
                raise DataError(
                    f"{name}.loss returned {key!r} of shape {tuple(value.shape)}, expected scalars."
                )
            out[key] = value if key == "loss" else value.detach()
        return out


class Means:
    """Averages over samples, which no step waits for.

    Parameters
    ----------
    sums : dict, optional
        Name to a sum and the weight in it, as :attr:`sums` had them before.

    Examples
    --------
    >>> means = Means()
    >>> means.add({"loss": torch.tensor(1.0)}, 1)
    >>> means.add({"loss": torch.tensor(4.0)}, 2)
    >>> means.values()
    {'loss': 3.0}
    """

    def __init__(self, sums: dict[str, list[Any]] | None = None) -> None:
        self.sums = sums or {}

    def add(self, scalars: dict[str, Tensor], weight: float) -> None:
        """Take in the means over some samples.

        Parameters
        ----------
        scalars : dict of Tensor
            Name to mean.
        weight : float
            How many samples.
        """
        for name, value in scalars.items():
            before, weights = self.sums.get(name, (0.0, 0.0))
            # A sum kept on the CPU goes back to where the values are.
            before = before.to(value.device) if isinstance(before, Tensor) else before
            self.sums[name] = [before + value.detach() * weight, weights + weight]

    def values(self) -> dict[str, float]:
        """Return the averages.

        Returns
        -------
        dict of float
            Name to average.
        """
        return {name: float(total) / weight for name, (total, weight) in self.sums.items()}


class FiniteWatch:
    """Notices a loss or a gradient that is not finite, and says so later.

    To ask a device for a number is to wait for it; this is done every so often.

    Parameters
    ----------
    place : torch.device
        Where the loss is.
    """

    def __init__(self, place: torch.device) -> None:
        self.first = torch.full((), -1, dtype=torch.int64, device=place)

    def look(self, step: int, *values: Tensor) -> None:
        """Look at the numbers of a step.

        Parameters
        ----------
        step : int
            Which step.
        *values : Tensor
            Scalars that must be finite.
        """
        bad = ~torch.isfinite(torch.stack([value.detach().float() for value in values])).all()
        self.first = torch.where(bad & (self.first < 0), step, self.first)

    def check(self, steps_an_epoch: int, lr: float) -> None:
        """Wait for the device, and refuse to go on if something was not finite.

        Parameters
        ----------
        steps_an_epoch : int
            To say in which epoch it was.
        lr : float
            The highest learning rate.

        Raises
        ------
        DataError
            The loss or its gradient was not finite; the first such step is named.

        Examples
        --------
        >>> watch = FiniteWatch(torch.device("cpu"))
        >>> watch.look(7, torch.tensor(torch.inf))
        >>> watch.check(5, 0.1)
        Traceback (most recent call last):
        neurokit.errors.DataError: The loss or its gradient is not finite at step 7 (epoch 2). ...
        """
        step = int(self.first)
        if step >= 0:
            raise DataError(
                f"The loss or its gradient is not finite at step {step} (epoch "
                f"{step // steps_an_epoch + 1}). Lower lr ({lr:g}), or look for missing or huge "
                "values in the data."
            )
