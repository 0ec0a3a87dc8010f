"""Recordings cut into windows, lazily, and split so that nothing is shared."""

from neurokit.windows.dataset import Windows, epochs, sliding
from neurokit.windows.splits import assert_disjoint, split_by, split_contiguous

__all__ = [
    "Windows",
    "assert_disjoint",
    "epochs",
    "sliding",
    "split_by",
    "split_contiguous",
]
