from . import bands, ceilings, delays, encoding, estimator, ridge, splits, statistics
from .ceilings import noise_ceiling
from .delays import delayed
from .encoding import encode
from .estimator import RidgeCV

__all__ = [
    "RidgeCV",
    "bands",
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
