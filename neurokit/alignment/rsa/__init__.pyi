from . import comparison, dissimilarities, inference, whitening
from .comparison import compare
from .dissimilarities import rdm
from .inference import bootstrap, noise_ceiling, permutation_p

__all__ = [
    "bootstrap",
    "compare",
    "comparison",
    "dissimilarities",
    "inference",
    "noise_ceiling",
    "permutation_p",
    "rdm",
    "whitening",
]
