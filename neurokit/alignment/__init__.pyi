from . import (
    bands,
    ceilings,
    delays,
    encoding,
    estimator,
    leakage,
    pairwise,
    ridge,
    rsa,
    similarity,
    splits,
    statistics,
)
from .ceilings import noise_ceiling
from .delays import delayed
from .encoding import encode
from .estimator import RidgeCV
from .leakage import leakage_report
from .pairwise import pairwise_accuracy
from .similarity import cca, cka, mutual_knn, procrustes, pwcca, shape_distance, svcca

__all__ = [
    "RidgeCV",
    "bands",
    "cca",
    "ceilings",
    "cka",
    "delayed",
    "delays",
    "encode",
    "encoding",
    "estimator",
    "leakage",
    "leakage_report",
    "mutual_knn",
    "noise_ceiling",
    "pairwise",
    "pairwise_accuracy",
    "procrustes",
    "pwcca",
    "ridge",
    "rsa",
    "shape_distance",
    "similarity",
    "splits",
    "statistics",
    "svcca",
]
