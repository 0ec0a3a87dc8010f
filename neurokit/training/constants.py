"""What a loss needs of each sample and training does not change, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neurokit.devices import moved
from neurokit.progress import progress_bar
from neurokit.training.batches import batch_of, batch_rows, fingerprint

__all__ = ["WithConstants", "with_constants"]


class WithConstants:
    """A data set with further tensors of each sample.

    Parameters
    ----------
    data : data set
        See :func:`~neurokit.training.fit`.
    constants : dict of Tensor
        The sample as first dimension.

    Examples
    --------
    >>> data = [{"x": torch.zeros(2)}, {"x": torch.ones(2)}]
    >>> WithConstants(data, {"code": torch.tensor([7, 8])}).batch([1])
    {'x': tensor([[1., 1.]]), 'code': tensor([8])}
    """

    def __init__(self, data: Any, constants: dict[str, Tensor]) -> None:
        self.data, self.constants = data, constants

    def __len__(self) -> int:
        return len(self.data)

    def batch(self, rows: list[int]) -> dict[str, Any]:
        """Gather samples.

        Parameters
        ----------
        rows : list of int
            Which.

        Returns
        -------
        dict
            Tensors with the sample as first dimension.
        """
        return batch_of(self.data, rows) | {k: v[rows] for k, v in self.constants.items()}


@torch.no_grad()
def with_constants(
    model: nn.Module,
    data: Any,
    batch_size: int,
    asked: Sequence[int] = (),
    progress: bool | None = False,
) -> Any:
    """Ask a model for what it would otherwise compute anew in each epoch.

    Samples are taken in their order, so that each time the same comes out, whatever the order of
    training and wherever it was resumed.

    Parameters
    ----------
    model : Module
        With ``constants(batch)``, a dict of tensors with the sample as first dimension; data of
        another model are returned as they are.
    data : data set
        See :func:`~neurokit.training.fit`. Where its samples differ from one reading to the
        next, nothing of them is constant, and it is returned as it is.
    batch_size : int
        Samples at a time.
    asked : sequence
        Not empty as soon as somebody wants to stop, and gets the data as they are.
    progress : bool or None
        Whether to show a progress bar.

    Returns
    -------
    data set
        With the tensors in its batches, on the CPU.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> model.constants = lambda batch: {"square": batch["x"] ** 2}
    >>> data = [{"x": torch.tensor(float(i))} for i in range(3)]
    >>> with_constants(model, data, batch_size=2).batch([2])
    {'x': tensor([2.]), 'square': tensor([4.])}
    """
    if not hasattr(model, "constants") or fingerprint(data) == "random":
        return data
    place = next(model.parameters()).device
    model.eval()
    parts = []
    rows = batch_rows(len(data), batch_size)
    for some in progress_bar(rows, enabled=progress, desc=type(model).__name__, unit=" batches"):
        if asked:
            return data
        constants = model.constants(moved(batch_of(data, some), place))  # type: ignore[operator]
        parts.append({name: value.cpu() for name, value in constants.items()})
    return WithConstants(data, {name: torch.cat([p[name] for p in parts]) for name in parts[0]})
