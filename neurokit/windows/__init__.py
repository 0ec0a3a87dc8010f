"""Recordings cut into windows, lazily, and split so that nothing is shared."""

from neurokit.windows.dataset import Windows, epochs, sliding
from neurokit.windows.montages import JoinedWindows, join_montages
from neurokit.windows.spike_cutting import spike_windows
from neurokit.windows.spiking import SpikeWindows
from neurokit.windows.splits import assert_disjoint, split_by, split_contiguous
from neurokit.windows.vocabulary import Vocabulary

__all__ = [
    "JoinedWindows",
    "SpikeWindows",
    "Vocabulary",
    "Windows",
    "assert_disjoint",
    "epochs",
    "join_montages",
    "sliding",
    "spike_windows",
    "split_by",
    "split_contiguous",
]
