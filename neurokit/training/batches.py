"""Which samples come when, and how they become one batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import default_collate

from neurokit.errors import DataError

__all__ = ["batch_of", "batch_rows", "fingerprint", "seed_step"]

PROBED = 8  # samples that stand for a data set in its fingerprint


def batch_rows(n: int, batch_size: int, seed: int | None = None) -> list[list[int]]:
    """Deal the samples of a data set to batches.

    Parameters
    ----------
    n : int
        Samples in all.
    batch_size : int
        Samples a batch; the last one may be smaller.
    seed : int, optional
        Of the order; without one, samples come as they are.

    Returns
    -------
    list of list of int
        The samples of each batch.

    Examples
    --------
    >>> batch_rows(3, 2)
    [[0, 1], [2]]
    """
    order = torch.arange(n, device="cpu")
    if seed is not None:
        generator = torch.Generator("cpu").manual_seed(seed)
        order = torch.randperm(n, generator=generator, device="cpu")
    return [rows.tolist() for rows in order.split(batch_size)]


def batch_of(data: Any, rows: list[int]) -> dict[str, Any]:
    """Gather samples in a batch.

    Parameters
    ----------
    data : data set
        With ``[i]`` a dict of tensors; its own ``batch(indices)`` is used where it has one,
        as windows of recordings do.
    rows : list of int
        Which samples.

    Returns
    -------
    dict
        Tensors with the sample as first dimension.

    Raises
    ------
    DataError
        Samples that are no dicts, or do not fit together: the first is named.

    Examples
    --------
    >>> batch_of([{"x": torch.tensor(float(i))} for i in range(3)], [2, 0])
    {'x': tensor([2., 0.])}
    """
    if hasattr(data, "batch"):
        batch: dict[str, Any] = data.batch(rows)
        return batch
    samples = [data[row] for row in rows]
    wanted = _shapes(samples[0], rows[0])
    for row, sample in zip(rows[1:], samples[1:], strict=True):
        got = _shapes(sample, row)
        if got != wanted:
            raise DataError(
                f"Samples {rows[0]} and {row} of the data set do not fit in one batch: shapes "
                f"{wanted} and {got}. Cut or pad them to one size."
            )
    return dict(default_collate(samples))


def _shapes(sample: Any, row: int) -> dict[str, tuple[int, ...]]:
    """Describe the tensors of a sample."""
    if not isinstance(sample, Mapping):
        raise DataError(
            f"Sample {row} of the data set is a {type(sample).__name__}, expected a dict of "
            "tensors, such as {'x': ...}."
        )
    return {name: tuple(getattr(value, "shape", ())) for name, value in sample.items()}


def seed_step(device: torch.device, *numbers: int) -> None:
    """Seed torch for one step, whatever was drawn before it.

    What a model draws (dropout, masks) then depends on where training is and not on how it
    came there: nothing random needs to be stored for a run to be continued.

    Parameters
    ----------
    device : torch.device
        Where the model is; the CPU is seeded, too.
    *numbers : int
        Seed of the run, step, process and so on.

    Examples
    --------
    >>> cpu = torch.device("cpu")
    >>> seed_step(cpu, 0, 7, 0)
    >>> first = torch.rand(())
    >>> seed_step(cpu, 0, 7, 0)
    >>> bool(first == torch.rand(()))
    True
    """
    text = ",".join(map(str, numbers)).encode()
    # Four bytes: the generator of the CPU reads no more.
    seed = int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big")
    # torch.manual_seed notes the call stack for devices not in use, which takes a millisecond.
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def fingerprint(data: Any) -> str:
    """Tell data sets apart by some of their samples.

    Parameters
    ----------
    data : data set
        With a length; see :func:`batch_of`.

    Returns
    -------
    str
        A hash; ``"random"`` where the same samples differ from one reading to the next.

    Examples
    --------
    >>> ones, zeros = [{"x": torch.ones(2)}], [{"x": torch.zeros(2)}]
    >>> fingerprint(ones) == fingerprint(ones), fingerprint(ones) == fingerprint(zeros)
    (True, False)
    """
    rows = sorted({round(i * (len(data) - 1) / (PROBED - 1)) for i in range(PROBED)})
    first, second = (_digest(batch_of(data, rows)) for _ in range(2))
    return first if first == second else "random"


def _digest(batch: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(batch.items()):
        if isinstance(value, Tensor):
            digest.update(f"{name} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
