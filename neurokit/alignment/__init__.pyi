from . import ceilings, delays, encoding, estimator, ridge, splits, statistics
from .ceilings import noise_ceiling
from .delays import delayed
from .encoding import encode
from .estimator import RidgeCV

__all__ = [
    "RidgeCV",
    "ceilings",
    "delayed",
    "delays",
    "encode",
    "encoding",
    "estimator",
    "noise_ceiling",
    "ridge",
    "splits",
    "statistics",
]
