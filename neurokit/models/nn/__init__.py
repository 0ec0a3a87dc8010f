"""Blocks that several families share: attention, patches, masks, codebooks, and storage."""

from neurokit.models.nn.attention import Attention, LlamaBlock, attention_mask, causal_mask, rotate
from neurokit.models.nn.batching import evaluation_batches
from neurokit.models.nn.classifier import Classifier
from neurokit.models.nn.cross_attention import CrossAttention, Memory
from neurokit.models.nn.heads import ClassifierConfig
from neurokit.models.nn.kmeans import cluster_centres
from neurokit.models.nn.masking import block_mask, random_mask
from neurokit.models.nn.packing import Packing
from neurokit.models.nn.patching import PatchEmbedding, patch_count, patches, unpatch
from neurokit.models.nn.positions import LearnedPositions, sinusoidal
from neurokit.models.nn.pretrained import Pretrained
from neurokit.models.nn.quantizer import VectorQuantizer, perplexity
from neurokit.models.nn.self_attention import KeyValueCache, SelfAttention
from neurokit.models.nn.transformer import TransformerBlock, TransformerEncoder, activation_layer

__all__ = [
    "Attention",
    "Classifier",
    "ClassifierConfig",
    "CrossAttention",
    "KeyValueCache",
    "LearnedPositions",
    "LlamaBlock",
    "Memory",
    "Packing",
    "PatchEmbedding",
    "Pretrained",
    "SelfAttention",
    "TransformerBlock",
    "TransformerEncoder",
    "VectorQuantizer",
    "activation_layer",
    "attention_mask",
    "block_mask",
    "causal_mask",
    "cluster_centres",
    "evaluation_batches",
    "patch_count",
    "patches",
    "perplexity",
    "random_mask",
    "rotate",
    "sinusoidal",
    "unpatch",
]
