"""Recordings cut into windows, lazily, and split so that nothing is shared."""

from neurokit.windows.dataset import Windows, epochs, sliding
from neurokit.windows.montages import JoinedWindows, join_montages
from neurokit.windows.splits import assert_disjoint, split_by, split_contiguous

__all__ = [
    "JoinedWindows",
    "Windows",
    "assert_disjoint",
    "epochs",
    "join_montages",
    "sliding",
    "split_by",
    "split_contiguous",
]
