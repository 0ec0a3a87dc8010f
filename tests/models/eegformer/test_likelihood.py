import numpy as np
import pytest

from neurokit.errors import DataError
from neurokit.models.eegformer import CodeLikelihood


def chain(transition, shape, seed=0):
    """Draw windows of a Markov chain."""
    rng = np.random.default_rng(seed)
    edges = transition.cumsum(axis=1)
    out = np.zeros(shape, int)
    out[..., 0] = rng.integers(len(transition), size=shape[:-1])
    for patch in range(1, shape[-1]):
        draws = rng.random(shape[:-1])
        before = out[..., patch - 1]
        out[..., patch] = (draws[..., None] > edges[before]).sum(-1).clip(0, len(edges) - 1)
    return out


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("positional", [False, True])
def test_probabilities_of_all_codes_sum_to_one(per_channel, positional):
    rng = np.random.default_rng(0)
    model = CodeLikelihood(6, per_channel=per_channel, positional=positional)
    model.fit(rng.integers(4, size=(30, 2, 5)))  # two codes never occur
    context = rng.integers(6, size=(1, 2, 5)).repeat(6, axis=0)
    for patch in range(5):
        every = context.copy()
        every[:, :, patch] = np.arange(6)[:, None]
        p = np.exp(-model.surprisal(every)[:, :, patch])
        np.testing.assert_allclose(p.sum(axis=0), 1)


def test_markov_chain_is_learnt_down_to_its_entropy():
    transition = np.random.default_rng(1).dirichlet(np.full(8, 0.3), size=8)
    model = CodeLikelihood(8).fit(chain(transition, (400, 3, 30)))
    test = chain(transition, (200, 3, 30), seed=1)
    values, vectors = np.linalg.eig(transition.T)
    stationary = np.real(vectors[:, np.argmax(values.real)])
    stationary /= stationary.sum()
    entropy = -(stationary[:, None] * transition * np.log(transition)).sum()
    assert model.surprisal(test)[..., 1:].mean() == pytest.approx(entropy, abs=0.03)
    # In random order the codes are as frequent as before, and no longer predictable.
    shuffled = np.random.default_rng(2).permuted(test, axis=2)
    unigram = -(stationary * np.log(stationary)).sum()
    assert model.score(shuffled).mean() > unigram > entropy + 0.2
    assert model.score(test) == pytest.approx(model.surprisal(test).mean(axis=(1, 2)))


def test_channels_and_places_have_their_own_codes():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=(200, 2, 4))
    codes[:, 1] += 3
    mirrored = codes[:, ::-1]
    apart, pooled = (CodeLikelihood(6, per_channel=p).fit(codes) for p in (True, False))
    assert apart.score(mirrored).min() > apart.score(codes).max() + 1
    np.testing.assert_allclose(pooled.score(mirrored), pooled.score(codes))
    assert pooled.score(codes[:, :1]).shape == (200,)
    codes = np.tile([0, 1, 2, 3], (200, 1, 1))
    model = CodeLikelihood(4).fit(codes)
    assert (model.score(codes[..., ::-1]) > model.score(codes) + 3).all()


def test_scores_do_not_depend_on_the_other_windows():
    codes = np.random.default_rng(0).integers(9, size=(50, 2, 6))
    model = CodeLikelihood(9).fit(codes)
    alone = np.concatenate([model.score(codes[i : i + 1]) for i in range(50)])
    np.testing.assert_allclose(model.score(codes), alone)


def test_bad_codes_are_refused():
    model = CodeLikelihood(4).fit(np.zeros((3, 2, 5), int))
    with pytest.raises(DataError, match="There is a code 4, but n_codes is 4"):
        model.score(np.full((1, 2, 5), 4))
    with pytest.raises(DataError, match=r"shape \(window, 2, 5\) as in training; got \(1, 3, 5\)"):
        model.score(np.zeros((1, 3, 5), int))
    with pytest.raises(DataError, match="strength is 0"):
        CodeLikelihood(4, strength=0)
