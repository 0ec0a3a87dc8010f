from collections import Counter
from itertools import product

import numpy as np
import pytest
import xarray as xr
from sklearn.naive_bayes import MultinomialNB

from neurokit.errors import DataError
from neurokit.models.eegformer import CodeLikelihood, CodeNgrams, NgramNaiveBayes

OPTIONS = list(product((False, True), (False, True)))


def some_codes(n_windows=40, n_codes=5, seed=0):
    return np.random.default_rng(seed).integers(n_codes, size=(n_windows, 3, 7))


def counted_by_hand(window, n, positional, per_channel):
    counter = Counter()
    for channel, row in enumerate(window.tolist()):
        for length in range(1, n + 1):
            for patch in range(len(row) - length + 1):
                word = tuple(row[patch : patch + length])
                place = channel if per_channel else -1, patch if positional else -1
                counter[(word, *place)] += 1
    return counter


@pytest.mark.parametrize(("positional", "per_channel"), OPTIONS)
def test_counts_equal_those_by_hand(positional, per_channel):
    codes = some_codes()
    grams = CodeNgrams(3, positional=positional, per_channel=per_channel).fit(codes)
    counts = grams.transform(codes).toarray()
    words = grams.words()
    assert len(set(words)) == len(words)
    for window, row in zip(codes, counts, strict=True):
        found = {word: n for word, n in zip(words, row, strict=True) if n}
        assert found == counted_by_hand(window, 3, positional, per_channel)


@pytest.mark.parametrize(("positional", "per_channel"), OPTIONS)
def test_places_are_where_the_word_is(positional, per_channel):
    codes = some_codes()
    grams = CodeNgrams(2, positional=positional, per_channel=per_channel).fit(codes)
    chosen = [0, len(grams) // 2, len(grams) - 1]
    which, window, channel, patch = grams.find(codes, chosen)
    assert set(which) == set(chosen)
    assert np.bincount(which).max() == grams.transform(codes).sum(axis=0)[chosen].max()
    for index, w, c, p in zip(which, window, channel, patch, strict=True):
        word, wanted_channel, wanted_patch = grams.words([index])[0]
        assert tuple(codes[w, c, p : p + len(word)]) == word
        assert wanted_channel in (-1, c)
        assert wanted_patch in (-1, p)


def test_only_training_windows_make_the_vocabulary():
    grams = CodeNgrams(2).fit([[[0, 1, 0]]])
    strange = [[[1, 1, 9]], [[9, 0, 1]]]  # 9 is a code that training never met
    assert [word for word, _, _ in grams.words()] == [(0,), (1,), (0, 1), (1, 0)]
    np.testing.assert_array_equal(grams.transform(strange).toarray(), [[0, 2, 0, 0], [1, 1, 1, 0]])


def test_rare_words_are_left_out():
    codes = np.array([[[0, 1, 1, 1]], [[0, 2, 2, 2]]])
    assert CodeNgrams(min_windows=2).fit(codes).words() == [((0,), -1, -1)]
    with pytest.raises(DataError, match="No n-gram is in 3 windows; 2 were given"):
        CodeNgrams(min_windows=3).fit(codes)


def test_a_labelled_array_will_do():
    codes = xr.DataArray(some_codes(), dims=["window", "channel", "patch"])
    assert len(CodeNgrams().fit(codes)) == 5


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([[0, 1]], r"shape \(window, channel, patch\); got int64 of shape \(1, 2\)"),
        ([[[0.5, 1.0]]], "whole numbers .* got float64"),
        ([[[0, -1]]], "from 0 on; got -1"),
        (np.zeros((0, 2, 3), int), r"no codes: shape \(0, 2, 3\)"),
    ],
)
def test_what_is_no_code_is_refused(codes, said):
    with pytest.raises(DataError, match=said):
        CodeNgrams().fit(codes)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="n is 0"):
        CodeNgrams(0)
    with pytest.raises(DataError, match="n is 3, but a window has only 2 patches"):
        CodeNgrams(3).fit([[[0, 1]]])
    with pytest.raises(DataError, match="too many possible 7-grams of 2048 codes"):
        CodeNgrams(7).fit(np.full((1, 1, 9), 2047))
    with pytest.raises(DataError, match=r"shape \(window, 1, 2\) as in training; got \(1, 2, 2\)"):
        CodeNgrams().fit([[[0, 1]]]).transform([[[0, 1], [0, 1]]])
    with pytest.raises(DataError, match="alpha is 0"):
        NgramNaiveBayes(alpha=0)


@pytest.mark.parametrize("alpha", [1.0, 0.2])
@pytest.mark.parametrize(("positional", "per_channel"), OPTIONS)
def test_naive_bayes_equals_that_of_scikit_learn(positional, per_channel, alpha):
    codes, test = some_codes(), some_codes(seed=1)
    y = np.array(["a", "b", "a", "c", "a"] * 8)
    model = NgramNaiveBayes(2, positional=positional, per_channel=per_channel, alpha=alpha)
    model.fit(codes, y)
    oracle = MultinomialNB(alpha=alpha).fit(model.grams.transform(codes), y)
    np.testing.assert_allclose(model.log_likelihood, oracle.feature_log_prob_)
    np.testing.assert_allclose(
        model.predict_log_proba(test), oracle.predict_log_proba(model.grams.transform(test))
    )
    np.testing.assert_array_equal(model.predict(test), oracle.predict(model.grams.transform(test)))


def test_posterior_ignores_how_many_windows_a_class_has():
    codes = np.zeros((30, 1, 4), int)
    codes[:5, 0, 0] = 1
    y = np.arange(30) < 5
    posterior = NgramNaiveBayes(alpha=1e-9).fit(codes, y).posterior()
    np.testing.assert_allclose(posterior[:, 1], [0, 1], atol=1e-6)
    # Code 0 is three of four patches there and all elsewhere.
    np.testing.assert_allclose(posterior[:, 0], [4 / 7, 3 / 7], atol=1e-6)


def test_labels_must_fit_the_windows():
    with pytest.raises(DataError, match=r"one label a window, shape \(40,\); got \(3,\)"):
        NgramNaiveBayes().fit(some_codes(), [0, 1, 0])
    with pytest.raises(DataError, match="All windows are of one class, 'rest'"):
        NgramNaiveBayes().fit(some_codes(), ["rest"] * 40)


@pytest.mark.parametrize("per_channel", [True, False])
def test_channels_that_are_told_apart_keep_their_places(per_channel):
    dims, y = ("window", "channel", "patch"), np.arange(40) % 2
    codes = xr.DataArray(some_codes(), {"channel": ["a", "b", "c"]}, dims)
    model = NgramNaiveBayes(per_channel=per_channel).fit(codes, y)
    normal = CodeLikelihood(5, per_channel=per_channel).fit(codes)
    turned = codes.isel(channel=[1, 0, 2])
    for ask in (model.predict, normal.score):
        ask(codes)
        ask(turned.values)  # nameless arrays are believed
        if per_channel:
            with pytest.raises(DataError, match="channels are b, a, c; learnt from were a, b, c"):
                ask(turned)
        else:
            ask(turned)
