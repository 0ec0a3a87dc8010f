"""Du-IN: discrete units of intracranial recordings, and models that predict them."""

from neurokit.models.duin.augmentation import shift_windows
from neurokit.models.duin.config import DuINConfig
from neurokit.models.duin.encoder import DuINEncoder
from neurokit.models.duin.importance import channel_importance, channel_weights
from neurokit.models.duin.masked import DuINMasked
from neurokit.models.duin.network import DuIN
from neurokit.models.duin.scoring import score_code_prediction, score_reconstruction

__all__ = [
    "DuIN",
    "DuINConfig",
    "DuINEncoder",
    "DuINMasked",
    "channel_importance",
    "channel_weights",
    "score_code_prediction",
    "score_reconstruction",
    "shift_windows",
]
