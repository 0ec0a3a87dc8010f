"""Surprisal of words: what the model itself says, token by token."""

import math

import numpy as np
import pytest

from neurokit.alignment.features import surprisal
from neurokit.alignment.features.language_sources import find_source, load_model, load_tokenizer
from neurokit.errors import DataError, UnknownNameError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXTS = ["The dog sleeps.", "It rains on the old town;\nso said nobody.", "cat"]
KINDS = ["llama", "gpt2"]


def by_hand(folder, text, **options):
    """Return tokens, and the log2 probabilities of every next token after the first one."""
    source = find_source(folder)
    tokenizer, model = load_tokenizer(source), load_model(source, "causal", **options)
    ids = [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0].double()
    return tokenizer, ids[1:], torch.log_softmax(logits, -1).numpy() / math.log(2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_is_the_likelihood_of_the_text(tiny, kind):
    found = surprisal(TEXTS, tiny[kind])
    assert found.word.values.tolist() == " ".join(TEXTS).split()
    assert found.attrs["units"] == "bit"
    for k, text in enumerate(TEXTS):
        _, ids, logs = by_hand(tiny[kind], text)
        total = -sum(logs[place, token] for place, token in enumerate(ids))
        np.testing.assert_allclose(found[found.text == k].sum(), total, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_the_sums_of_their_tokens(tiny, kind):
    words = ["rainbow", "was", "old"]
    found = surprisal([words], tiny[kind]).values
    tokenizer, ids, logs = by_hand(tiny[kind], " ".join(words))
    word = 0
    sums = np.zeros(3)
    for place, token in enumerate(ids):
        word += place > 0 and tokenizer.convert_ids_to_tokens(token).startswith("Ġ")
        sums[word] -= logs[place, token]
    assert len(ids) > 3
    np.testing.assert_allclose(found, sums, rtol=1e-5)


def test_corrected_words_are_probabilities_of_whole_words(tiny):
    """The chance that a word ends moves from the next word to it; only the ends of a text gain."""
    text = "the unhappiness was old"
    plain = surprisal([text], tiny["llama"])
    corrected = surprisal([text], tiny["llama"], boundary="corrected")
    tokenizer, ids, logs = by_hand(tiny["llama"], text)
    names = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    begins = [k for k, n in enumerate(names) if n.startswith(("Ġ", "Ċ")) or n == "</s>"]
    edge = -np.log2((2 ** logs[:, begins]).sum(axis=1))
    ends = [k for k in range(len(ids)) if k + 1 == len(ids) or names[ids[k + 1]].startswith("Ġ")]
    after = edge[np.array(ends) + 1]
    wanted = plain.values + after - np.append(0, after[:-1])
    np.testing.assert_allclose(corrected, wanted, rtol=1e-5)
    np.testing.assert_allclose(corrected.sum() - plain.sum(), after[-1], rtol=1e-5)
    assert (corrected > 0).all()


@pytest.mark.parametrize("boundary", ["tokens", "corrected"])
def test_batches_passages_and_windows_agree(tiny, boundary):
    words = " ".join(TEXTS).split()
    whole = surprisal([words], tiny["gpt2"], boundary=boundary).values
    parts = [words[:3], words[3:4], words[4:]]
    apart = surprisal(parts, tiny["gpt2"], boundary=boundary, passages=[0, 0, 0], batch_size=1)
    np.testing.assert_allclose(apart, whole, atol=1e-4)
    slid = surprisal([words], tiny["gpt2"], 50, stride=4, boundary=boundary)
    np.testing.assert_allclose(slid, whole, atol=1e-4)
    short = surprisal([words], tiny["gpt2"], 3, boundary=boundary).values
    np.testing.assert_allclose(short[:3], whole[:3], atol=1e-4)
    assert np.abs(short[3:] - whole[3:]).max() > 0.01
    ahead = surprisal([[*words[:-1], "rains"]], tiny["gpt2"], boundary=boundary).values
    np.testing.assert_allclose(ahead[:-2], whole[:-2], atol=1e-4)


def test_long_texts_need_a_window(tiny):
    long = [["unhappiness"] * 120]
    with pytest.raises(DataError, match=r"has \d+ tokens.*Give context="):
        surprisal(long, tiny["llama"])
    found = surprisal(long, tiny["llama"], 6, stride=4)
    assert found.shape == (120,)
    assert np.isfinite(found).all()


def test_kept_results_are_those_of_the_same_question(tiny, monkeypatch):
    first = surprisal(TEXTS, tiny["gpt2"])
    place = "neurokit.alignment.features.surprisal_of_words.load_model"
    monkeypatch.setattr(place, lambda *a, **k: 1 / 0)
    np.testing.assert_array_equal(first, surprisal(TEXTS, tiny["gpt2"], batch_size=2))
    for options in ({"boundary": "corrected"}, {"context": 2}, {"untrained": True}):
        with pytest.raises(ZeroDivisionError, match="division"):
            surprisal(TEXTS, tiny["gpt2"], **options)


def test_an_untrained_twin_knows_nothing_much(tiny):
    found = surprisal(TEXTS, tiny["gpt2"], untrained=True, seed=3)
    _, ids, logs = by_hand(tiny["gpt2"], TEXTS[0], untrained=True, seed=3)
    total = -sum(logs[place, token] for place, token in enumerate(ids))
    np.testing.assert_allclose(found[found.text == 0].sum(), total, rtol=1e-6)
    assert found.attrs["untrained"] == 1


def test_bad_questions_are_named(tiny):
    with pytest.raises(DataError, match="also sees the words after a word"):
        surprisal(TEXTS, tiny["bert"])
    with pytest.raises(DataError, match="boundary is 'space'"):
        surprisal(TEXTS, tiny["gpt2"], boundary="space")
    with pytest.raises(DataError, match="belongs to a window"):
        surprisal(TEXTS, tiny["gpt2"], stride=2)
    with pytest.raises(DataError, match="Text 1 is empty"):
        surprisal(["a", ""], tiny["gpt2"])
    with pytest.raises(UnknownNameError, match="Unknown language model"):
        surprisal(TEXTS, "a/b/c")
