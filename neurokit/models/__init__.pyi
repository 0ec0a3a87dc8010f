from . import future, nn, suma
from .future import FuturePredictor, FuturePredictorConfig
from .suma import SUMA, SUMAConfig

__all__ = [
    "SUMA",
    "FuturePredictor",
    "FuturePredictorConfig",
    "SUMAConfig",
    "future",
    "nn",
    "suma",
]
