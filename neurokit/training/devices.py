"""In which precision a model is trained."""

from __future__ import annotations

import contextlib

import torch

from neurokit import arguments

__all__ = ["PRECISIONS", "autocast"]

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
