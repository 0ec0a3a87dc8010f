from . import (
    batches,
    callbacks,
    checkpoints,
    devices,
    distributed,
    finetuning,
    interruption,
    loop,
    plan,
    scalars,
    schedule,
    trainer,
)
from .callbacks import Callback, State, TensorBoard
from .finetuning import finetune, predict
from .loop import Run, fit

__all__ = [
    "Callback",
    "Run",
    "State",
    "TensorBoard",
    "batches",
    "callbacks",
    "checkpoints",
    "devices",
    "distributed",
    "finetune",
    "finetuning",
    "fit",
    "interruption",
    "loop",
    "plan",
    "predict",
    "scalars",
    "schedule",
    "trainer",
]
