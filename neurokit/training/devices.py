"""Where a model is trained, and in which precision."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["autocast", "find_device", "moved"]

PRECISIONS = ("auto", "float32", "bfloat16")


def find_device(device: str | torch.device = "auto") -> torch.device:
    """Choose a device.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"`` takes CUDA where there is one, then Apple's, then the CPU.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    DataError
        A device that torch does not know, or does not find here.

    Examples
    --------
    >>> find_device("cpu")
    device(type='cpu')
    """
    if isinstance(device, str) and device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, TypeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"device {str(device)!r} cannot be used: {reason}. Try 'auto'.") from None
    return found


def autocast(device: torch.device, precision: str = "auto") -> contextlib.AbstractContextManager:
    """Return the context in which a forward pass runs.

    Parameters
    ----------
    device : torch.device
        Where it runs.
    precision : {"auto", "float32", "bfloat16"}
        ``"auto"`` is bfloat16 on CUDA devices that have it, single precision elsewhere.
        Weights and optimiser stay in single precision.

    Returns
    -------
    context manager
        Autocast, or one that does nothing.

    Examples
    --------
    >>> with autocast(torch.device("cpu"), "bfloat16"):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """
    arguments.known("precision", precision, PRECISIONS)
    wide = device.type != "cuda" or not torch.cuda.is_bf16_supported()
    if precision == "float32" or (precision == "auto" and wide):
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def moved(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Move the tensors of a batch.

    Parameters
    ----------
    batch : dict
        Tensors, and what else there is.
    device : torch.device
        Where to.

    Returns
    -------
    dict
        The same, on the device.

    Examples
    --------
    >>> moved({"x": torch.zeros(1)}, torch.device("cpu"))
    {'x': tensor([0.])}
    """
    return {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
