"""Neuroformer: spikes, stimulus and behaviour, generated one spike after another."""

from neurokit.models.neuroformer.config import Modality, NeuroformerConfig
from neurokit.models.neuroformer.network import Neuroformer, Prediction

__all__ = ["Modality", "Neuroformer", "NeuroformerConfig", "Prediction"]
