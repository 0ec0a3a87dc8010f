from . import checkpoints, devices, loop, schedule
from .loop import Run, fit

__all__ = ["Run", "checkpoints", "devices", "fit", "loop", "schedule"]
