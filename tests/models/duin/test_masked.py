"""Each token is guessed once, from the copy in which it is hidden, and its tokenizer is frozen."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from neurokit.errors import DataError
from neurokit.models import DuIN, DuINConfig, DuINMasked
from neurokit.models.nn import random_mask
from neurokit.training import fit

SMALL = DuINConfig(
    channels=(2,),
    n_samples=500,
    spatial_width=4,
    filters=(8, 8, 2),
    depth=2,
    n_heads=2,
    head_dim=8,
    hidden=24,
    n_codes=6,
    code_width=8,
    decoder_depth=1,
    decoder_filters=(8, 8, 8, 8, 4),
)


def _batch(n=6, seed=0, config=SMALL):
    x = torch.randn(n, 500, config.n_channels, generator=torch.Generator().manual_seed(seed))
    return {"x": x, "subject": torch.arange(n) % config.n_subjects}


def _model(config=SMALL):
    tokenizer = DuIN(config)
    for seed in range(10):  # past the k-means start
        tokenizer.loss(_batch(seed=seed, config=config))
    return DuINMasked(config, tokenizer=tokenizer)


def _naive(model, batch, mask):
    """Two passes, the head applied to everything, and a one-hot target."""
    codes = F.one_hot(model.tokenizer.codes(batch), model.config.n_codes).float()
    total = 0.0
    for hidden in (mask, ~mask):
        tokens = model.encoder.tokens(batch).clone()
        tokens[hidden] = model.hidden_token
        seen = model.encoder.contextualize(tokens)
        log_p = (seen @ model.head.weight.T + model.head.bias).log_softmax(-1)
        total = total - (codes * log_p).sum(-1)[hidden].sum()
    return total / mask.numel()


@torch.no_grad()
def test_one_batched_pass_equals_two_naive_ones():
    model, batch = _model().eval(), _batch()
    mask = random_mask(6, 5, 0.5, torch.Generator().manual_seed(3))
    logits = model(batch, mask)
    found = F.cross_entropy(logits.transpose(1, 2), model.codes(batch))
    torch.testing.assert_close(found, _naive(model, batch, mask))


def test_its_gradients_are_those_of_the_naive_ones():
    model, batch = _model().eval(), _batch()
    mask = random_mask(6, 5, 0.5, torch.Generator().manual_seed(3))
    trained = [p for p in model.parameters() if p.requires_grad]
    loss = F.cross_entropy(model(batch, mask).flatten(0, 1), model.codes(batch).flatten())
    ours = torch.autograd.grad(loss, trained)
    theirs = torch.autograd.grad(_naive(model, batch, mask), trained)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


@torch.no_grad()
def test_what_is_hidden_does_not_matter_and_what_is_seen_does():
    model, batch = _model().eval(), _batch(2)
    mask = torch.tensor([[True, False, True, False, False]]).expand(2, 5)
    tokens, subject = model.encoder.tokens(batch), batch["subject"]
    other = tokens.clone()
    other[:, 2] += 5.0
    before, after = (model.predict(t, mask, subject) for t in (tokens, other))
    # Tokens 0 and 2 are guessed where both are hidden, the others where token 2 is seen.
    torch.testing.assert_close(before[:, [0, 2]], after[:, [0, 2]])
    assert not before[:, [1, 3, 4]].allclose(after[:, [1, 3, 4]], atol=1e-3)


def test_training_leaves_the_tokenizer_as_it_was_to_the_last_bit():
    model = _model()
    before = {k: v.clone() for k, v in model.tokenizer.state_dict().items()}
    codes = model.codes(_batch())
    data = [{"x": x} for x in _batch(24)["x"]]
    run = fit(model, data, epochs=2, batch_size=8, lr=1e-2, device="cpu", progress=False)
    after = model.tokenizer.state_dict()
    assert all(before[key].equal(after[key]) for key in before)
    assert codes.equal(model.codes(_batch()))
    assert codes.equal(model.train().codes(_batch()))
    assert not model.tokenizer.training
    assert run.history["loss"].iloc[-1] < run.history["loss"].iloc[0]


def test_codes_do_not_depend_on_precision_around_them():
    model, batch = _model(), _batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model.codes(batch).equal(model.codes(batch))
        loss = model.loss(batch)["loss"]
    assert loss.dtype == torch.float32
    assert model.codes(batch).equal(model.tokenizer.codes(batch))


def test_tokens_left_visible_are_so_in_training_alone():
    config = dataclasses.replace(SMALL, visible_fraction=0.99, dropout=0.0)
    model, batch = DuINMasked(config, tokenizer=_model().tokenizer), _batch()
    mask = torch.ones(6, 5, dtype=torch.bool)
    with torch.no_grad():
        model.train()
        for layer in model.encoder.modules():
            layer.training = False
        assert model(batch, mask).isclose(model(batch)).float().mean() > 0.5
        model.eval()
        assert model(batch, mask).isclose(model(batch)).float().mean() < 0.1


def test_subjects_of_their_own_have_heads_of_their_own():
    config = dataclasses.replace(SMALL, channels=(2, 1), own_tokenizers=True)
    model = _model(config).eval()
    assert model.head.weight.shape[0] == len(model.encoder.tokenizers) == 2
    batch = _batch(config=config)
    model.loss(batch)["loss"].backward()
    assert all(p.grad is not None for p in model.encoder.parameters())
    order = torch.tensor([5, 1, 3, 0, 2, 4])
    again = {key: value[order] for key, value in batch.items()}
    torch.testing.assert_close(model(again), model(batch)[order])


def test_a_tokenizer_of_other_settings():
    other = dataclasses.replace(SMALL, n_codes=7, seed=5, dropout=0.0)
    with pytest.raises(DataError, match=r"other settings: n_codes 7, not 6\. Try DuINMasked"):
        DuINMasked(SMALL, tokenizer=DuIN(other))
    with pytest.raises(DataError, match="tokenizer is 'tok'.*a DuIN trained in stage 1"):
        DuINMasked(SMALL, tokenizer="tok")


@pytest.mark.parametrize("family", [DuIN, DuINMasked])
def test_saved_and_loaded(tmp_path, family):
    model = _model()
    model = model if family is DuINMasked else model.tokenizer
    model.save_pretrained(tmp_path)
    again = family.from_pretrained(tmp_path)
    model.eval()
    assert again.codes(_batch()).equal(model.codes(_batch()))
    assert again.represent(_batch()).equal(model.represent(_batch()))


def test_a_classifier_is_a_copy_that_learns_and_is_saved(tmp_path):
    model = _model()
    before = {k: v.clone() for k, v in model.encoder.state_dict().items()}
    classifier = model.classifier(["low", "high"])
    slow = torch.sin(torch.arange(500) / 30)[:, None].expand(-1, 2)
    fast = torch.sin(torch.arange(500) / 3)[:, None].expand(-1, 2)
    x = torch.stack([fast, slow] * 12) + 0.3 * _batch(24)["x"]
    data = [{"x": row, "label": torch.tensor(i % 2)} for i, row in enumerate(x)]
    fit(classifier, data, epochs=6, batch_size=8, lr=3e-3, device="cpu", progress=False)
    batch = {"x": x}
    assert (classifier(batch).argmax(1) == torch.arange(24) % 2).float().mean() > 0.9
    assert all(before[k].equal(v) for k, v in model.encoder.state_dict().items())
    classifier.save_pretrained(tmp_path)
    again = type(classifier).from_pretrained(tmp_path)
    torch.testing.assert_close(again(batch), classifier(batch))
    assert again.backbone.config.shift == 0.1
    probabilities = model.classifier(2, sigmoid=True)(batch)
    assert 0 < probabilities.min() < probabilities.max() < 1


def test_codes_asked_for_in_training_teach_the_quantiser_nothing():
    model, batch = _model().tokenizer.train(), _batch()
    before = {k: v.clone() for k, v in model.quantizer.state_dict().items()}
    codes = model.codes(batch)
    assert all(before[k].equal(v) for k, v in model.quantizer.state_dict().items())
    model.eval()
    assert torch.equal(model.codes(batch), model(batch)[1])
    assert codes.shape == (6, 5)


@pytest.mark.parametrize("family", [DuIN, DuINMasked])
def test_waveforms_and_codes_do_not_move_so_windows_must_not_either(family):
    with pytest.raises(DataError, match=r"shift is 0\.1, expected 0 in stages 1 and 2"):
        family(dataclasses.replace(SMALL, shift=0.1))
