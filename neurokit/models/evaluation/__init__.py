"""Representations of windows, probes of them, and what they must beat."""

from neurokit.models.evaluation import baselines
from neurokit.models.evaluation.comparison import compare
from neurokit.models.evaluation.probing import linear_probe
from neurokit.models.evaluation.representations import code_words, encode
from neurokit.models.evaluation.spike_scores import (
    bits_per_spike,
    co_bps,
    psth_r2,
    rate_correlation,
    unit_bits_per_spike,
)
from neurokit.models.evaluation.spike_sets import set_f1, window_counts

__all__ = [
    "baselines",
    "bits_per_spike",
    "co_bps",
    "code_words",
    "compare",
    "encode",
    "linear_probe",
    "psth_r2",
    "rate_correlation",
    "set_f1",
    "unit_bits_per_spike",
    "window_counts",
]
