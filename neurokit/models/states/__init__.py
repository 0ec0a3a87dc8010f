"""States: what changes within a person, found without labels."""

from neurokit.models.states.config import StateSubspaceConfig
from neurokit.models.states.network import StateSubspace

__all__ = ["StateSubspace", "StateSubspaceConfig"]
