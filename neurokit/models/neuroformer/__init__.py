"""Neuroformer: spikes, stimulus and behaviour, generated one spike after another."""

from neurokit.models.neuroformer.ablation import run_ablation
from neurokit.models.neuroformer.blocks import blocks_of
from neurokit.models.neuroformer.config import Modality, NeuroformerConfig
from neurokit.models.neuroformer.connectivity import attention_per_pair
from neurokit.models.neuroformer.decoding import (
    direction_variables,
    read_behaviour,
    with_targets,
)
from neurokit.models.neuroformer.generation import generate_samples
from neurokit.models.neuroformer.likelihood import held_out_likelihood, window_likelihood
from neurokit.models.neuroformer.network import Neuroformer, Prediction
from neurokit.models.neuroformer.perturbation import perturbation_effects
from neurokit.models.neuroformer.scoring import score_behaviour
from neurokit.models.neuroformer.unexplained import corrected_effects, unexplained_effects

__all__ = [
    "Modality",
    "Neuroformer",
    "NeuroformerConfig",
    "Prediction",
    "attention_per_pair",
    "blocks_of",
    "corrected_effects",
    "direction_variables",
    "generate_samples",
    "held_out_likelihood",
    "perturbation_effects",
    "read_behaviour",
    "run_ablation",
    "score_behaviour",
    "unexplained_effects",
    "window_likelihood",
    "with_targets",
]
