"""Models of images and texts, in two encoders or one, and features put side by side."""

import numpy as np
import pytest
import torch
import xarray as xr

from neurokit.alignment.features.image_text import late_fusion, multimodal
from neurokit.errors import DataError, UnknownNameError

transformers = pytest.importorskip("transformers")

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
TEXTS = ["a cat", "a dog on a cat", "a dog", "the cat", "cat cat cat dog"]
TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32}  # fmt: skip


def save_tokenizer(path):
    """Save a tokeniser of six words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "the", "cat", "dog", "on"]
    inner = Tokenizer(models.WordLevel({w: k for k, w in enumerate(words)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        unk_token="[UNK]",
    ).save_pretrained(path)  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Save a tiny random CLIP."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    path = tmp_path_factory.mktemp("clip")
    torch.manual_seed(0)
    config = transformers.CLIPConfig(
        text_config={**TINY, "vocab_size": 9, "max_position_embeddings": 8, "eos_token_id": 2,
                     "bos_token_id": 1, "pad_token_id": 0},
        vision_config={**TINY, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )  # fmt: skip
    transformers.CLIPModel(config).save_pretrained(path)
    size = {"height": 32, "width": 32}
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=size).save_pretrained(path)
    save_tokenizer(path)
    return path


@pytest.fixture(scope="module")
def vilt(tmp_path_factory):
    """Save a tiny random ViLT."""
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    path = tmp_path_factory.mktemp("vilt")
    torch.manual_seed(0)
    config = transformers.ViltConfig(
        **TINY, vocab_size=9, max_position_embeddings=8, image_size=32, patch_size=8
    )
    transformers.ViltModel(config).save_pretrained(path)
    ViltImageProcessorPil(size={"shortest_edge": 32}, size_divisor=8).save_pretrained(path)
    save_tokenizer(path)
    return path


def test_two_encoders_give_their_embeddings_and_both(clip):
    x = multimodal(IMAGES, TEXTS, clip, cache=False)
    assert list(x) == ["image", "text", "late"]
    model = transformers.CLIPModel.from_pretrained(clip).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(clip)
    words = tokenizer(TEXTS, padding=True, return_tensors="pt")
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    pixels = (torch.tensor(IMAGES).permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.no_grad():
        out = model(
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
            pixel_values=pixels,
        )
    for name, embeds in (("image", out.image_embeds), ("text", out.text_embeds)):
        ours = x[name] / np.linalg.norm(x[name], axis=1, keepdims=True)
        np.testing.assert_allclose(ours, embeds, atol=1e-5)
    assert x["late"].shape == (5, 24)
    np.testing.assert_allclose(x["late"].mean("presentation"), 0, atol=1e-5)
    np.testing.assert_allclose(x["late"].std("presentation"), 1, atol=1e-3)
    assert np.corrcoef(x["late"][:, 3], x["image"][:, 3])[0, 1] == pytest.approx(1, abs=1e-5)


def test_one_encoder_of_both_gives_its_layers(vilt):
    x = multimodal(IMAGES, TEXTS, vilt, fusion="joint", cache=False)
    assert list(x) == [0, 1, 2]
    model = transformers.ViltModel.from_pretrained(vilt).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(vilt)
    processor = transformers.AutoImageProcessor.from_pretrained(vilt, backend="pil")
    for place in range(5):
        words = tokenizer(TEXTS[place : place + 1], return_tensors="pt")
        seen = processor(images=[IMAGES[place]], return_tensors="pt")
        with torch.no_grad():
            out = model(**seen, **words, output_hidden_states=True)
        for layer in range(3):
            np.testing.assert_allclose(
                x[layer][place], out.hidden_states[layer][0].mean(0), atol=1e-5
            )


def test_joint_features_depend_on_both_sides(vilt):
    base = multimodal(IMAGES[:1], ["a cat"], vilt, 2, fusion="joint", cache=False)
    other_text = multimodal(IMAGES[:1], ["a dog"], vilt, 2, fusion="joint", cache=False)
    other_image = multimodal(IMAGES[1:2], ["a cat"], vilt, 2, fusion="joint", cache=False)
    assert not np.allclose(base, other_text)
    assert not np.allclose(base, other_image)


@pytest.mark.parametrize("fusion", ["late", "joint"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_batches_and_their_padding_change_nothing(clip, vilt, fusion, batch_size):
    folder = clip if fusion == "late" else vilt
    whole = multimodal(IMAGES, TEXTS, folder, fusion=fusion, cache=False)
    parts = multimodal(IMAGES, TEXTS, folder, fusion=fusion, cache=False, batch_size=batch_size)
    for layer in whole:
        np.testing.assert_allclose(parts[layer], whole[layer], atol=2e-5)


def test_the_untrained_twin_and_what_is_kept(clip, tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path))
    trained = multimodal(IMAGES, TEXTS, clip, "late")
    twin = multimodal(IMAGES, TEXTS, clip, "late", untrained=True, seed=1)
    assert not np.allclose(trained, twin)
    assert twin.attrs["untrained"] == twin.attrs["seed"] == 1
    monkeypatch.setattr("neurokit.alignment.features.image_text.load_model", None)
    xr.testing.assert_identical(multimodal(IMAGES, TEXTS, clip, "late"), trained)
    again = multimodal(IMAGES, TEXTS, clip, ["text", "late"], untrained=True, seed=1)
    assert list(again) == ["text", "late"]
    with pytest.raises(TypeError, match="not callable"):
        multimodal(IMAGES, TEXTS, clip, "late", untrained=True, seed=2)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"texts": TEXTS[:3]}, DataError, "got 5 images and 3 texts"),
        ({"texts": [*TEXTS[:4], " "]}, DataError, r"Text 4 is empty \(1 are\)"),
        ({"texts": "a cat"}, DataError, "Expected a list of texts"),
        ({"texts": [*TEXTS[:4], "cat " * 20]}, DataError, "Text 4 has 22 tokens, .* reads 8"),
        ({"fusion": "early"}, DataError, r"expected one of \['late', 'joint'\]"),
        ({"fusion": "joint"}, DataError, "no layer that sees both. Try fusion='late'"),
        ({"layers": "lat"}, UnknownNameError, "Unknown layer 'lat'. Did you mean 'late'"),
        ({"batch_size": 0}, DataError, "batch_size is 0"),
    ],
)
def test_what_cannot_be_is_said(clip, arguments, kind, message):
    given = {"images": IMAGES, "texts": TEXTS, "model": clip, "cache": False}
    with pytest.raises(kind, match=message):
        multimodal(**{**given, **arguments})


def test_a_model_of_both_has_no_sides(vilt):
    with pytest.raises(DataError, match="no encoder for each.*fusion='joint'"):
        multimodal(IMAGES, TEXTS, vilt, cache=False)


def test_late_fusion_gives_every_feature_the_same_weight():
    image = xr.DataArray(
        RNG.standard_normal((6, 3)) * 1e4 + 7,
        dims=("presentation", "feature"),
        coords={"presentation": list("abcdef")},
    )
    text = np.column_stack([RNG.standard_normal((6, 2)), np.full(6, 0.1)])
    x = late_fusion({"image": image, "text": text})
    assert list(x.part.values) == ["image"] * 3 + ["text"] * 3
    assert list(x.presentation.values) == list("abcdef")
    np.testing.assert_allclose(x.std("presentation"), [1, 1, 1, 1, 1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"image": np.ones((2, 2))}, "two or more parts"),
        ({"a": np.ones((2, 2)), "b": np.ones((3, 2))}, r"{'a': 2, 'b': 3}"),
        ({"a": np.ones((2, 2)), "b": np.ones(2)}, r"'b' of finite numbers .* shape \(2,\)"),
        ({"a": np.full((2, 2), np.nan), "b": np.ones((2, 2))}, "'a' of finite numbers"),
    ],
)
def test_parts_that_do_not_fit(parts, message):
    with pytest.raises(DataError, match=message):
        late_fusion(parts)


def test_fused_parts_have_the_same_rows_by_their_labels():
    def part(labels):
        values = np.arange(6.0).reshape(3, 2)
        return xr.DataArray(
            values, dims=("presentation", "feature"), coords={"presentation": labels}
        )

    straight, turned = part([0, 1, 2]), part([2, 1, 0])
    with pytest.raises(DataError, match="'b' are labelled presentation in another order"):
        late_fusion({"a": straight, "b": turned})
    np.testing.assert_array_equal(
        late_fusion({"a": straight, "b": straight.T}), late_fusion({"a": straight, "b": straight})
    )
    with pytest.raises(DataError, match="by name; got list"):
        late_fusion([straight, straight])


def test_texts_that_are_no_texts_are_named():
    images = np.zeros((2, 8, 8, 3), np.uint8)
    with pytest.raises(DataError, match="Text 1 is no text but 3"):
        multimodal(images, ["a", 3], "x/y")
