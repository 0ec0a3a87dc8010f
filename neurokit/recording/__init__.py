"""The data object that every modality shares: streams on one clock."""

from neurokit.recording.core import Recording

__all__ = ["Recording"]
