from . import duin, eegformer, evaluation, future, neuroformer, nn, states, suma
from .duin import DuIN, DuINConfig, DuINEncoder, DuINMasked
from .eegformer import EEGFormer, EEGFormerConfig
from .evaluation import (
    baselines,
    bits_per_spike,
    co_bps,
    code_words,
    compare,
    encode,
    linear_probe,
    psth_r2,
    rate_correlation,
    set_f1,
    unit_bits_per_spike,
    window_counts,
)
from .future import FuturePredictor, FuturePredictorConfig
from .neuroformer import Neuroformer, NeuroformerConfig
from .nn import Classifier, VectorQuantizer
from .states import StateSubspace, StateSubspaceConfig
from .suma import SUMA, SUMAConfig

__all__ = [
    "SUMA",
    "Classifier",
    "DuIN",
    "DuINConfig",
    "DuINEncoder",
    "DuINMasked",
    "EEGFormer",
    "EEGFormerConfig",
    "FuturePredictor",
    "FuturePredictorConfig",
    "Neuroformer",
    "NeuroformerConfig",
    "SUMAConfig",
    "StateSubspace",
    "StateSubspaceConfig",
    "VectorQuantizer",
    "baselines",
    "bits_per_spike",
    "co_bps",
    "code_words",
    "compare",
    "duin",
    "eegformer",
    "encode",
    "evaluation",
    "future",
    "linear_probe",
    "neuroformer",
    "nn",
    "psth_r2",
    "rate_correlation",
    "set_f1",
    "states",
    "suma",
    "unit_bits_per_spike",
    "window_counts",
]
