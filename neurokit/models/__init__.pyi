from . import duin, eegformer, evaluation, future, nn, states, suma
from .duin import DuIN, DuINConfig, DuINEncoder, DuINMasked
from .eegformer import EEGFormer, EEGFormerConfig
from .evaluation import baselines, code_words, compare, encode, linear_probe
from .future import FuturePredictor, FuturePredictorConfig
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
    "SUMAConfig",
    "StateSubspace",
    "StateSubspaceConfig",
    "VectorQuantizer",
    "baselines",
    "code_words",
    "compare",
    "duin",
    "eegformer",
    "encode",
    "evaluation",
    "future",
    "linear_probe",
    "nn",
    "states",
    "suma",
]
