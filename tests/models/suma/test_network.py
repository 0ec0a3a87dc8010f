"""SUMA: the block as published, frozen, and blind to padding."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import neurokit as nk
from neurokit.models import SUMA, SUMAConfig
from neurokit.models.nn import attention

SMALL = {"vocabulary": 200, "width": 64, "n_heads": 8}


@pytest.fixture
def ids():
    return torch.randint(200, (5, 9), generator=torch.Generator().manual_seed(0))


def spelled(texts):
    return {"input_ids": [[ord(letter) for letter in text] for text in texts]}


def by_hand(model, ids):
    """The published block, written out head by head."""
    x = model.embedding.weight[ids]
    for _ in range(model.config.cycles):
        h = x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-6)
        parts = []
        for head in range(model.config.n_heads):
            rows = slice(8 * head, 8 * head + 8)
            q, k, v = (
                h @ getattr(model.attention, n).weight[rows].T for n in ("query", "key", "value")
            )
            score = q @ k.transpose(1, 2) / np.sqrt(8)
            above = torch.ones(score.shape[1:]).triu(1).bool()
            parts.append(score.masked_fill(above, -torch.inf).softmax(-1) @ v)
        attended = torch.cat(parts, -1) @ model.attention.output.weight.T
        x = x + attended
    return x, torch.cat([h, attended], -1)


@pytest.mark.parametrize("cycles", [1, 2, 3])
def test_it_is_the_published_block(ids, cycles):
    model = SUMA(SUMAConfig(**SMALL, cycles=cycles))
    layers, units = model.states(ids)
    last, expected = by_hand(model, ids)
    assert len(layers) == cycles + 1
    torch.testing.assert_close(layers[-1], last, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(units, expected, atol=1e-5, rtol=1e-4)
    np.testing.assert_allclose(model.units(ids), expected[:, -1].numpy(), atol=1e-5)


def test_the_defaults_are_the_papers():
    config = SUMAConfig()
    assert (config.width, config.n_heads, config.width // config.n_heads) == (4096, 512, 8)
    assert (config.cycles, config.std, config.n_units) == (2, 0.02, 8192)


def test_weights_are_drawn_with_the_seed_and_stay_frozen():
    torch.manual_seed(1)
    a = SUMA(SUMAConfig(**SMALL))
    torch.manual_seed(2)
    b, c = SUMA(SUMAConfig(**SMALL)), SUMA(SUMAConfig(**SMALL, seed=1))
    for name, weight in a.state_dict().items():
        assert torch.equal(weight, b.state_dict()[name])
    for layer in (a.embedding, a.attention.query, a.attention.output):
        assert float(layer.weight.std()) == pytest.approx(0.02, rel=0.1)
    assert not torch.equal(a.embedding.weight, c.embedding.weight)
    assert not any(p.requires_grad for p in a.parameters())


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(ids, side):
    settings = SUMAConfig(**SMALL, decoder_blocks=2, decoder_heads=4, decoder_hidden=64)
    model = SUMA(settings).eval()
    short = ids[:, :6]
    pad = torch.full((5, 3), 7)
    there, not_there = torch.ones(5, 6).bool(), torch.zeros(5, 3).bool()
    order = 1 if side == "right" else -1
    padded = torch.cat([short, pad][::order], dim=1)
    mask = torch.cat([there, not_there][::order], dim=1)
    np.testing.assert_allclose(model.units(padded, mask), model.units(short), atol=1e-5)
    bits = model.surprisal(padded, mask)
    expected = model.surprisal(short)
    torch.testing.assert_close(bits[mask].view(5, 6), expected, equal_nan=True, atol=1e-4, rtol=0)
    assert bool(bits[~mask].isnan().all())
    loss = [model.loss({"input_ids": padded, "mask": mask}), model.loss({"input_ids": short})]
    assert loss[0]["loss"].item() == pytest.approx(loss[1]["loss"].item(), abs=1e-5)


def test_heads_in_parts_give_the_same(ids, monkeypatch):
    model = SUMA(SUMAConfig(**SMALL))
    whole = model.units(ids)
    monkeypatch.setattr(attention, "SCORES_AT_ONCE", 3 * ids.numel() * ids.shape[1])
    np.testing.assert_allclose(model.units(ids), whole, atol=1e-6)


def test_texts_come_back_in_order_whatever_their_length():
    model = SUMA(SUMAConfig(**SMALL))
    texts = ["one", "three more", "two", "three less", "x"]
    found = model.represent(texts, spelled)
    assert list(found) == [0, 1, 2, "units"]
    for row, text in enumerate(texts):
        tokens = torch.tensor(spelled([text])["input_ids"])
        np.testing.assert_allclose(found["units"][row], model.units(tokens)[0], atol=1e-5)
    mean = model.represent(texts, spelled, layers=0, pooling="mean")
    expected = model.embedding.weight[[ord(letter) for letter in "two"]].mean(dim=0)
    np.testing.assert_allclose(mean[0][2], expected, atol=1e-6)
    assert found[2].attrs["layer"] == 2
    assert found[2].dtype == np.float32


def test_a_trained_tokenizer_serves():
    tokenizers = pytest.importorskip("tokenizers")
    texts = ["the dog barks", "the cat sleeps", "a dog sleeps"] * 5
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="?"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=60, special_tokens=["?"], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    found = SUMA(SUMAConfig(**SMALL)).represent(texts[:3], tokenizer, layers="units")
    assert found["units"].sizes == {"presentation": 3, "feature": 128}
    blocks = nk.models.suma.token_blocks([" ".join(texts)], tokenizer, 8)
    assert {tuple(block["input_ids"].shape) for block in blocks} == {(8,)}


def test_the_language_model_reads_the_selected_units(ids):
    settings = SUMAConfig(
        **SMALL, n_selected=16, decoder_blocks=1, decoder_heads=2, decoder_hidden=32
    )
    model = SUMA(settings).eval()
    assert model.selected.numel() == 16
    assert model.selected.unique().numel() == 16
    before = model(ids)
    chosen = np.random.default_rng(9).permutation(128)[:16]
    after = model.select(chosen)(ids)
    assert not torch.allclose(before, after)
    assert model.selected.tolist() == sorted(chosen.tolist())
    log_p = after.log_softmax(-1)[0, 2, ids[0, 3]]
    bits = model.surprisal(ids)
    assert bits[0, 3].item() == pytest.approx(-log_p.item() / np.log(2), abs=1e-5)
    expected = F.cross_entropy(after[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    assert model.loss({"input_ids": ids})["loss"].item() == pytest.approx(expected.item(), abs=1e-5)
    assert bits[:, 1:].mean().item() * np.log(2) == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 60}, "width 60 does not divide into 8 heads"),
        ({"cycles": 0}, "cycles is 0"),
        ({"std": 0}, "std is 0"),
        ({"n_selected": 129}, "n_selected is 129, but there are 128 units"),
        ({"decoder_blocks": 1, "decoder_heads": 3}, "width 128 and 3 heads"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(nk.errors.DataError, match=message):
        SUMA(SUMAConfig(**(SMALL | settings)))


def test_bad_input_is_named(ids):
    model = SUMA(SUMAConfig(**SMALL, n_selected=4))
    with pytest.raises(nk.errors.DataError, match="go from 0 to 200, but the vocabulary has 200"):
        model.units(torch.tensor([[0, 200]]))
    with pytest.raises(nk.errors.DataError, match=r"shape \(batch, time\); got torch.float32"):
        model.units(torch.zeros(2, 3))
    with pytest.raises(nk.errors.DataError, match=r"mask of bool and shape \(5, 9\)"):
        model.units(ids, torch.ones(5, 9))
    with pytest.raises(nk.errors.DataError, match="row of the mask has no token"):
        model.units(ids, torch.zeros(5, 9).bool())
    with pytest.raises(nk.errors.DataError, match=r"Unknown layer 3. This model has \[0, 1, 2"):
        model.represent(["a"], spelled, layers=3)
    with pytest.raises(nk.errors.DataError, match=r"Text 1 \(''\) has no tokens"):
        model.represent(["a", ""], spelled)
    with pytest.raises(nk.errors.DataError, match="This SUMA has no decoder"):
        model.surprisal(ids)
    with pytest.raises(nk.errors.DataError, match="Expected 4 different whole numbers"):
        model.select([1, 2, 2, 3])
    with pytest.raises(nk.errors.DataError, match="numbered 0 to 127; got 1–128"):
        model.select([1, 2, 3, 128])
    with pytest.raises(nk.errors.DataError, match="No text has 4 tokens: the longest has 3"):
        nk.models.suma.token_blocks(["abc"], spelled, 4)
    with pytest.raises(nk.errors.DataError, match="tokenizer is int"):
        nk.models.suma.tokenize(["abc"], 3)
