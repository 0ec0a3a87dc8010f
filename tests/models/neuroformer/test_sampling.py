import pytest
import torch

from neurokit.errors import DataError
from neurokit.models.neuroformer.sampling import SamplingRule, draw_tokens, not_before


def grid(n):
    """Evenly spread draws: the share of a token is then its probability, without noise."""
    return (torch.arange(n) + 0.5) / n


def shares(logits, rule, n=20_000):
    tokens = draw_tokens(logits.expand(n, -1), grid(n), rule)
    return torch.bincount(tokens, minlength=logits.shape[-1]) / n


def nucleus(p, top_p):
    """Holtzman's definition, one token after the other."""
    kept, mass = torch.zeros_like(p), 0.0
    for token in p.argsort(descending=True):
        if mass >= top_p:
            break
        kept[token] = p[token]
        mass += float(p[token])
    return kept / kept.sum()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_they_are_probable(temperature):
    logits = torch.randn(30, generator=torch.Generator().manual_seed(0))
    wanted = (logits / temperature).softmax(dim=0)
    found = shares(logits, SamplingRule(temperature))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("top_p", [0.01, 0.3, 0.5, 0.95, 0.999, 1.0])
def test_nucleus_is_the_smallest_set_that_reaches_the_mass(top_p):
    logits = 2 * torch.randn(40, generator=torch.Generator().manual_seed(1))
    wanted = nucleus(logits.softmax(dim=0), top_p)
    found = shares(logits, SamplingRule(top_p=top_p))
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=0)


@pytest.mark.parametrize("top_k", [1, 3, 40, 100])
def test_top_k_keeps_the_most_probable(top_k):
    logits = torch.randn(40, generator=torch.Generator().manual_seed(2))
    p = logits.softmax(dim=0)
    kept = p * (p >= p.sort(descending=True).values[min(top_k, 40) - 1])
    found = shares(logits, SamplingRule(top_k=top_k))
    torch.testing.assert_close(found, kept / kept.sum(), atol=2e-4, rtol=0)


def test_the_stricter_of_top_k_and_top_p_holds():
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    assert shares(logits, SamplingRule(top_k=3, top_p=0.6)).count_nonzero() == 2
    assert shares(logits, SamplingRule(top_k=2, top_p=0.99)).count_nonzero() == 2


def test_draws_at_the_ends_never_give_what_is_forbidden():
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]]).expand(4, -1)
    uniform = torch.tensor([0.0, 0.49, 0.51, 1 - 2**-24])
    for rule in (SamplingRule(), SamplingRule(top_p=0.9), SamplingRule(top_k=4)):
        assert draw_tokens(logits, uniform, rule).tolist() == [1, 1, 3, 3]


def test_a_row_does_not_depend_on_the_others():
    generator = torch.Generator().manual_seed(3)
    logits, uniform = torch.randn(64, 50, generator=generator), torch.rand(64, generator=generator)
    rule = SamplingRule(0.8, 20, 0.9)
    alone = [draw_tokens(logits[i : i + 1], uniform[i : i + 1], rule) for i in range(64)]
    assert torch.equal(draw_tokens(logits, uniform, rule), torch.cat(alone))


def test_steps_before_the_last_are_forbidden():
    logits = torch.randn(500, 9, generator=torch.Generator().manual_seed(4))
    step = torch.arange(500) % 6 + 3
    drawn = draw_tokens(not_before(logits, step), grid(500), SamplingRule())
    assert (drawn >= step).all()
    # Among those allowed, nothing but the forbidden mass is gone.
    expected = logits[0, 3:].softmax(dim=0)
    found = not_before(logits[:1], torch.tensor([3])).softmax(dim=-1)[0, 3:]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 0}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0.0}, "top_p is 0, expected a probability"),
        ({"top_p": 1.5}, "top_p is 1.5"),
    ],
)
def test_values_outside_their_range_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        SamplingRule(**changes)
