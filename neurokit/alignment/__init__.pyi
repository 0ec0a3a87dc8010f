from . import (
    affine,
    banded,
    banded_estimator,
    bands,
    behaviour,
    benchmarks,
    blocks,
    ceilings,
    consistency,
    delays,
    devices,
    distillation,
    downsample,
    encoding,
    estimator,
    features,
    grid,
    leakage,
    localize,
    odd_one_out,
    pairwise,
    partition,
    plans,
    pls,
    resampling,
    ridge,
    rsa,
    shards,
    similarity,
    spectra,
    splits,
    stacking,
    statistics,
    students,
    time_resolved,
    triplets,
)
from .affine import AffineMap, fit_affine
from .banded_estimator import BandedRidgeCV
from .behaviour import added_r2
from .benchmarks import benchmark, leaderboard
from .blocks import encode_block
from .ceilings import extrapolated_ceiling, noise_ceiling
from .consistency import error_consistency
from .delays import delayed
from .distillation import Distilled, alignet, distil
from .downsample import lanczos
from .encoding import combine_blocks, encode, prepare_encoding
from .estimator import RidgeCV
from .grid import cross_view, encoding_grid
from .leakage import leakage_report
from .localize import localize_units
from .odd_one_out import choice_probabilities, odd_one_out_score, pair_similarities
from .pairwise import pairwise_accuracy
from .partition import variance_partition
from .pls import PLSRegression
from .shards import encode_in_shards
from .similarity import cca, cka, mutual_knn, procrustes, pwcca, shape_distance, svcca
from .stacking import stack
from .students import embed_inputs
from .time_resolved import time_resolved_mapping
from .triplets import cluster_triplets, object_folds, simulate_choices, uniform_triplets

__all__ = [
    "AffineMap",
    "BandedRidgeCV",
    "Distilled",
    "PLSRegression",
    "RidgeCV",
    "added_r2",
    "affine",
    "alignet",
    "banded",
    "banded_estimator",
    "bands",
    "behaviour",
    "benchmark",
    "benchmarks",
    "blocks",
    "cca",
    "ceilings",
    "choice_probabilities",
    "cka",
    "cluster_triplets",
    "combine_blocks",
    "consistency",
    "cross_view",
    "delayed",
    "delays",
    "devices",
    "distil",
    "distillation",
    "downsample",
    "embed_inputs",
    "encode",
    "encode_block",
    "encode_in_shards",
    "encoding",
    "encoding_grid",
    "error_consistency",
    "estimator",
    "extrapolated_ceiling",
    "features",
    "fit_affine",
    "grid",
    "lanczos",
    "leaderboard",
    "leakage",
    "leakage_report",
    "localize",
    "localize_units",
    "mutual_knn",
    "noise_ceiling",
    "object_folds",
    "odd_one_out",
    "odd_one_out_score",
    "pair_similarities",
    "pairwise",
    "pairwise_accuracy",
    "partition",
    "plans",
    "pls",
    "prepare_encoding",
    "procrustes",
    "pwcca",
    "resampling",
    "ridge",
    "rsa",
    "shape_distance",
    "shards",
    "similarity",
    "simulate_choices",
    "spectra",
    "splits",
    "stack",
    "stacking",
    "statistics",
    "students",
    "svcca",
    "time_resolved",
    "time_resolved_mapping",
    "triplets",
    "uniform_triplets",
    "variance_partition",
]
