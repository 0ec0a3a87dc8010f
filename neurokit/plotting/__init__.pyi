from .codes import code_patterns, code_prototypes, code_usage, reconstruction
from .courses import butterfly, time_courses
from .curves import predicted_vs_true, tuning_curves
from .layers import brain_scatter, layer_curve
from .maps import confusion, connectivity_matrix, topomap
from .scores import null_distribution, score_distribution, score_strip
from .spikes import spike_raster, wiring_matrix
from .theme import COLORS, style

__all__ = [
    "COLORS",
    "brain_scatter",
    "butterfly",
    "code_patterns",
    "code_prototypes",
    "code_usage",
    "confusion",
    "connectivity_matrix",
    "layer_curve",
    "null_distribution",
    "predicted_vs_true",
    "reconstruction",
    "score_distribution",
    "score_strip",
    "spike_raster",
    "style",
    "time_courses",
    "topomap",
    "tuning_curves",
    "wiring_matrix",
]
