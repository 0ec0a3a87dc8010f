"""In which precision a model is trained, and how a batch gets to it."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from neurokit import arguments

__all__ = ["PRECISIONS", "autocast", "moved"]

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


def autocast(device: torch.device, precision: str = "auto") -> contextlib.AbstractContextManager:
    """Return the context in which a forward pass runs.

    Parameters
    ----------
    device : torch.device
        Where it runs.
    precision : {"auto", "float32", "bfloat16", "float16"}
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
    half = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(device.type, dtype=half)


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
    return {k: _moved(v, device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def _moved(x: torch.Tensor, device: torch.device) -> torch.Tensor:
    if device.type == "cuda" and x.device.type == "cpu":
        # From other memory the copy would wait for all that the device still has to do.
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)
