from . import evoked_response, grip_force, head_direction, object_category, resting_network
from .answer import Answer
from .questions import QUESTIONS, ask

__all__ = [
    "QUESTIONS",
    "Answer",
    "ask",
    "evoked_response",
    "grip_force",
    "head_direction",
    "object_category",
    "resting_network",
]
