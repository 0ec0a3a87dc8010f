"""Where the arithmetic of a ridge fit happens: NumPy on the CPU, PyTorch on an accelerator.

On one CPU thread NumPy's matrix products are faster than PyTorch's, so PyTorch is used, and
imported, only for accelerators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from neurokit.devices import KINDS, accelerators, may_have_accelerator
from neurokit.errors import DataError, UnknownNameError

__all__ = ["Place", "place_for"]


@dataclass(frozen=True)
class Place:
    """A device and a precision, and the few operations that differ between libraries.

    Attributes
    ----------
    device : str
        ``"cpu"`` for NumPy, else the name of a PyTorch device.
    dtype : str
        ``"float32"`` or ``"float64"``.
    """

    device: str
    dtype: str

    @property
    def numpy(self) -> bool:
        """Whether arrays are NumPy's."""
        return self.device == "cpu"

    @property
    def wide(self) -> str:
        """The precision of sums: double, where the device has it."""
        return "float32" if self.device.startswith("mps") else "float64"

    def put(self, values: Any, dtype: str | None = None) -> Any:
        """Bring values here, in the precision of the place or another one."""
        dtype = dtype or self.dtype
        if self.numpy:
            return np.asarray(values, dtype=dtype)
        import torch

        if not isinstance(values, torch.Tensor):
            # Converted before the transfer: not every device takes doubles.
            values = torch.from_numpy(np.ascontiguousarray(values, dtype=dtype))
        return values.to(self.device, getattr(torch, dtype))

    def index(self, rows: NDArray[np.intp]) -> Any:
        """Bring indices here."""
        if self.numpy:
            return rows
        import torch

        return torch.from_numpy(np.asarray(rows)).to(self.device)

    def zeros(self, shape: tuple[int, ...], dtype: str | None = None) -> Any:
        """Return zeros, in the precision of sums unless told."""
        return self.put(np.zeros(shape), dtype or self.wide)

    def square_sum(self, values: Any) -> Any:
        """Sum the squares over samples."""
        if self.numpy:
            return np.einsum("nv,nv->v", values, values)
        return (values * values).sum(0)

    def eigh(self, gram: Any, dtype: str) -> tuple[NDArray[np.float64], Any]:
        """Decompose a symmetric matrix, which is overwritten; eigenvalues come to the host."""
        if self.numpy or self.device.startswith("mps"):
            # PyTorch has no eigenvectors for Apple's devices.
            # Of a symmetric matrix the transpose is the same, and in LAPACK's order.
            matrix = host(gram).astype(dtype, copy=False).T
            values, vectors = scipy.linalg.eigh(
                matrix, driver="evd", overwrite_a=True, check_finite=False
            )
            return values.astype(np.float64), self.put(vectors, dtype)
        import torch

        values, vectors = torch.linalg.eigh(gram.to(getattr(torch, dtype)))
        return host(values).astype(np.float64), vectors

    def inverse(self, matrix: Any) -> Any:
        """Invert a matrix."""
        if self.numpy:
            return np.linalg.inv(matrix)
        import torch

        return torch.linalg.inv(matrix)


def host(values: Any) -> NDArray[Any]:
    """Bring an array of any place to NumPy.

    Parameters
    ----------
    values : ndarray or Tensor
        An array.

    Returns
    -------
    ndarray
        The same values; a NumPy array itself, not a copy.

    Examples
    --------
    >>> host(np.ones(2))
    array([1., 1.])
    """
    return values if isinstance(values, np.ndarray) else values.detach().cpu().numpy()


def place_for(device: str, *arrays: ArrayLike) -> Place:
    """Choose device and precision for some inputs.

    Parameters
    ----------
    device : str
        ``"auto"`` takes a CUDA device, then Apple's, then the CPU; ``"cpu"``, ``"cuda"`` (also
        ``"cuda:1"`` and so on) and ``"mps"`` are taken as given.
    *arrays : array-like
        Inputs: single precision when all are, else double.

    Returns
    -------
    Place
        Where to compute. Apple's devices have no double precision: ``"auto"`` then takes the CPU.

    Raises
    ------
    UnknownNameError
        Another device.
    DataError
        A device that is not there, or that lacks the precision.

    Examples
    --------
    >>> place_for("cpu", np.zeros(2, dtype=np.float32))
    Place(device='cpu', dtype='float32')
    """
    single = all(getattr(array, "dtype", None) == np.float32 for array in arrays)
    dtype = "float32" if arrays and single else "float64"
    kind = device.partition(":")[0] if isinstance(device, str) else device
    if kind not in KINDS:
        raise UnknownNameError("device", str(device), KINDS)
    if kind == "auto":
        return Place(_best(dtype), dtype)
    if kind == "mps" and dtype == "float64":
        raise DataError(
            "Inputs are in double precision, which device='mps' does not have. "
            "Pass x and y as float32, or device='cpu'."
        )
    if kind != "cpu" and kind not in accelerators():
        raise DataError(f"device={device!r} is not available here. Try device='auto'.")
    return Place("cpu" if kind == "cpu" else device, dtype)


def _best(dtype: str) -> str:
    """Name the fastest device, without importing PyTorch where no accelerator can be."""
    kinds = accelerators() if may_have_accelerator() else []
    usable = [kind for kind in kinds if kind != "mps" or dtype == "float32"]
    return usable[0] if usable else "cpu"
