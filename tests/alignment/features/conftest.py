"""Tiny language models with random weights, saved as anybody would save theirs."""

from pathlib import Path

import pytest

CORPUS = [
    "the dog sleeps in the garden and the cat, whose name nobody knows, watches it.",
    "it rains on the old town; don't go out without a coat, said the old man.",
    "unhappiness was never so near, and yet the garden was full of birds.",
]


def byte_tokenizer(**specials):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    names = [*dict.fromkeys(specials.values())]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=names, initial_alphabet=alphabet, show_progress=False
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, **specials)


def word_piece_tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    core.train_from_iterator(
        CORPUS,
        trainers.WordPieceTrainer(vocab_size=120, special_tokens=names, show_progress=False),
    )
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_max_length=64,
    )  # fmt: skip


def build(kind: str, folder: Path) -> Path:
    """Save a tiny model with large weights, so that every part of it leaves a trace."""
    import torch
    import transformers as tf

    size = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}
    if kind == "bert":
        tokenizer = word_piece_tokenizer()
        config = tf.BertConfig(
            vocab_size=len(tokenizer), num_hidden_layers=3, max_position_embeddings=64, **size
        )
        factory = tf.BertForMaskedLM
    elif kind == "gpt2":
        tokenizer = byte_tokenizer(eos_token="<end>", bos_token="<end>")
        config = tf.GPT2Config(
            vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=96,
            bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        factory = tf.GPT2LMHeadModel
    else:
        tokenizer = byte_tokenizer(bos_token="<s>", eos_token="</s>")
        config = tf.LlamaConfig(
            vocab_size=len(tokenizer), num_hidden_layers=3, num_key_value_heads=2,
            max_position_embeddings=96, bos_token_id=0, eos_token_id=1, **size,
        )  # fmt: skip
        factory = tf.LlamaForCausalLM
    config.initializer_range = 0.3
    torch.manual_seed(77)
    factory(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folders of a causal model with rotary positions, one with learned ones, and a masked one."""
    pytest.importorskip("transformers")
    from transformers.utils import logging

    logging.disable_progress_bar()
    root = tmp_path_factory.mktemp("models")
    return {kind: build(kind, root / kind) for kind in ("llama", "gpt2", "bert")}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path / "cache"))
