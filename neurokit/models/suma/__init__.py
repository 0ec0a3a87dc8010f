"""SUMA: a shallow untrained network of many attention heads (AlKhamissi et al. 2024)."""

from neurokit.models.suma.config import SUMAConfig
from neurokit.models.suma.network import SUMA
from neurokit.models.suma.tokens import token_blocks, tokenize

__all__ = ["SUMA", "SUMAConfig", "token_blocks", "tokenize"]
