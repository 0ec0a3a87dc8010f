"""Which accelerators a machine has, and which device a computation takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurokit.errors import DataError

if TYPE_CHECKING:
    import torch

__all__ = [
    "KINDS",
    "accelerators",
    "find_device",
    "has_doubles",
    "lent",
    "may_have_accelerator",
    "moved",
]

KINDS = ("auto", "cpu", "cuda", "mps")
DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # of NVIDIA, Windows' subsystem, and AMD


def may_have_accelerator() -> bool:
    """Say whether it is worth asking PyTorch, whose import takes a second or more.

    Returns
    -------
    bool
        False on Linux without the device file of a driver.

    Examples
    --------
    >>> may_have_accelerator() in (True, False)
    True
    """
    return sys.platform != "linux" or any(Path(driver).exists() for driver in DRIVERS)


def accelerators() -> list[str]:
    """List the kinds of accelerators that PyTorch finds, the best first.

    Returns
    -------
    list of str
        From ``"cuda"`` and ``"mps"``, Apple's.

    Examples
    --------
    >>> set(accelerators()) <= {"cuda", "mps"}
    True
    """
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [kind for kind, there in found.items() if there]


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
    import torch

    if isinstance(device, str) and device == "auto":
        return torch.device([*accelerators(), "cpu"][0])
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, TypeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"device {str(device)!r} cannot be used: {reason}. Try 'auto'.") from None
    return found


@contextmanager
def lent(
    model: torch.nn.Module, device: str | torch.device | None = None
) -> Iterator[torch.device]:
    """Lend a model to a device in evaluation mode, and give it back as it was, part by part.

    Parameters
    ----------
    model : Module
        Whose device and modes are restored, whatever happens.
    device : str or torch.device, optional
        See :func:`find_device`; by default the model stays where it is.

    Yields
    ------
    torch.device
        Where the model is.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(1, 1)
    >>> with lent(model, "cpu") as place:
    ...     print(place, model.training)
    cpu False
    >>> model.training
    True
    """
    import torch

    modes = [(part, part.training) for part in model.modules()]
    home = next((p.device for p in model.parameters()), torch.device("cpu"))
    place = home if device is None else find_device(device)
    try:
        if place != home:
            model.to(place)
        model.eval()
        yield place
    finally:
        if place != home:
            model.to(home)
        for part, training in modes:
            part.training = training


def has_doubles(device: torch.device) -> bool:
    """Say whether a device computes in double precision; Apple's do not.

    Parameters
    ----------
    device : torch.device
        Any.

    Returns
    -------
    bool
        False where only the host can.

    Examples
    --------
    >>> import torch
    >>> has_doubles(torch.device("cpu")), has_doubles(torch.device("mps"))
    (True, False)
    """
    return device.type != "mps"


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
        The same, on the device. Apple's devices have no doubles, such as the seconds at which
        windows start: those stay where they are.

    Examples
    --------
    >>> import torch
    >>> moved({"x": torch.zeros(1)}, torch.device("cpu"))
    {'x': tensor([0.])}
    """
    import torch

    return {k: _moved(v, device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def _moved(x: torch.Tensor, device: torch.device) -> torch.Tensor:
    import torch

    if x.dtype == torch.float64 and not has_doubles(device):
        return x
    if device.type == "cuda" and x.device.type == "cpu":
        # From other memory the copy would wait for all that the device still has to do.
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)
