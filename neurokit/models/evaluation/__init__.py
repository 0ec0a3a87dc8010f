"""Representations of windows, probes of them, and what they must beat."""

from neurokit.models.evaluation import baselines
from neurokit.models.evaluation.comparison import compare
from neurokit.models.evaluation.probing import linear_probe
from neurokit.models.evaluation.representations import code_words, encode

__all__ = ["baselines", "code_words", "compare", "encode", "linear_probe"]
