"""Neuroformer: spikes, stimulus and behaviour, generated one spike after another."""

from neurokit.models.neuroformer.config import Modality, NeuroformerConfig
from neurokit.models.neuroformer.connectivity import attention_per_pair
from neurokit.models.neuroformer.generation import generate_samples
from neurokit.models.neuroformer.network import Neuroformer, Prediction
from neurokit.models.neuroformer.perturbation import perturbation_effects
from neurokit.models.neuroformer.unexplained import corrected_effects, unexplained_effects

__all__ = [
    "Modality",
    "Neuroformer",
    "NeuroformerConfig",
    "Prediction",
    "attention_per_pair",
    "corrected_effects",
    "generate_samples",
    "perturbation_effects",
    "unexplained_effects",
]
