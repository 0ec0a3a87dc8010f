"""Blocks that several families share: attention, and how models are stored."""

from neurokit.models.nn.attention import Attention, LlamaBlock, attention_mask, rotate
from neurokit.models.nn.pretrained import Pretrained

__all__ = ["Attention", "LlamaBlock", "Pretrained", "attention_mask", "rotate"]
