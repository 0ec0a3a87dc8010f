"""Latent future prediction: mental simulation as dynamics of a frozen encoder's latents."""

from neurokit.models.future.config import FuturePredictorConfig
from neurokit.models.future.encoder import encode_frames
from neurokit.models.future.network import FuturePredictor

__all__ = ["FuturePredictor", "FuturePredictorConfig", "encode_frames"]
