import numpy as np
import pytest

from neurokit.errors import DataError
from neurokit.models.eegformer import NgramNaiveBayes, rank_patterns

SUBJECT = np.repeat(np.arange(12), 20)
RECORDING = np.repeat(np.arange(24), 10)  # two a subject
CONDITION = RECORDING % 2


def drifting_codes(rng, n_codes=16):
    """Draw codes whose frequencies differ between recordings, as they do in real ones."""
    share = rng.dirichlet(np.ones(n_codes), size=24).cumsum(axis=1)[RECORDING]
    draws = rng.random((240, 4, 10))
    return (draws[..., None] > share[:, None, None]).sum(axis=-1).clip(0, n_codes - 1)


def ranked(codes, y, n=1, seed=0, n_permutations=199, options=None, **design):
    model = NgramNaiveBayes(n, **(options or {})).fit(codes, y)
    return rank_patterns(model, codes, y, n_permutations=n_permutations, seed=seed, **design)


@pytest.mark.parametrize("positional", [False, True])
@pytest.mark.parametrize("per_channel", [False, True])
def test_planted_trigram_ranks_first(positional, per_channel):
    rng = np.random.default_rng(3)
    codes = rng.integers(8, size=(240, 4, 10))
    chosen = np.flatnonzero(CONDITION)[rng.random(120) < 0.7]
    codes[chosen, 2, 4:7] = [5, 1, 2]
    options = {"positional": positional, "per_channel": per_channel, "min_windows": 5}
    table = ranked(codes, CONDITION, 3, options=options, units=RECORDING, groups=SUBJECT)
    best = table.loc[0]
    assert best["codes"] == (5, 1, 2)
    assert (best["class"], best["significant"]) == (1, True)
    assert best["channel"] == (2 if per_channel else -1)
    assert best["patch"] == (4 if positional else -1)
    assert best["windows"] >= len(chosen)
    assert best["rate_in"] > 0.7 > 10 * best["rate_out"]
    # Whatever else speaks for the class contains a piece of what was planted.
    others = table.loc[table["significant"] & (table["class"] == 1), "codes"]
    assert all({5, 1, 2} & set(word) for word in others)


@pytest.mark.parametrize("kind", ["recordings", "windows", "subjects"])
def test_nothing_is_found_where_nothing_is(kind):
    wrong = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        if kind == "windows":
            codes, y, design = rng.integers(16, size=(240, 4, 10)), rng.permutation(CONDITION), {}
            design = {"groups": SUBJECT}
        elif kind == "recordings":
            flipped = rng.random(12) < 0.5
            codes, y = drifting_codes(rng), CONDITION ^ flipped[SUBJECT]
            design = {"units": RECORDING, "groups": SUBJECT}
        else:
            codes, y = drifting_codes(rng), rng.permutation(24)[RECORDING] % 2
            design = {"groups": RECORDING}  # one label each
        table = ranked(codes, y, 1 if kind == "subjects" else 2, seed=seed, **design)
        wrong += table["significant"].any()
    # Five in a hundred are expected; more than eleven happen once in 250 times.
    assert wrong <= 11


def test_longer_recordings_of_one_class_are_no_difference():
    wrong = 0
    length = np.tile([30, 10], 12)  # rest is three times as long as the task
    recording, subject = np.repeat(np.arange(24), length), np.repeat(np.arange(24) // 2, length)
    for seed in range(40):
        codes = np.random.default_rng(seed).integers(300, size=(480, 1, 10))  # all are rare
        design = {"units": recording, "groups": subject}
        wrong += ranked(codes, recording % 2, seed=seed, **design)["significant"].any()
    assert wrong <= 6


def test_windows_taken_for_independent_find_what_is_not_there():
    wrong = 0
    for seed in range(10):
        codes = drifting_codes(np.random.default_rng(seed))
        wrong += ranked(codes, CONDITION, groups=SUBJECT, seed=seed)["significant"].any()
    assert wrong == 10


def test_z_is_standardised_over_permutations():
    rng = np.random.default_rng(0)
    codes = drifting_codes(rng)
    table = ranked(codes, CONDITION, units=RECORDING, groups=SUBJECT)
    rates = NgramNaiveBayes().fit(codes, CONDITION).grams.transform(codes).toarray()
    rates = np.sqrt(rates.reshape(12, 2, 10, -1).mean(axis=2))  # subject, recording, n-gram
    difference = rates[:, 1] - rates[:, 0]
    draws = rng.choice([-1, 1], size=(20_000, 12)) @ difference
    z = difference.sum(axis=0) / draws.std(axis=0)
    np.testing.assert_allclose(table.set_index("gram")["z"].sort_index(), np.abs(z), rtol=0.03)


def test_a_group_difference_needs_many_groups_to_be_significant():
    rng = np.random.default_rng(0)
    y = (SUBJECT % 2).astype(int)
    for affected, expected in (([1], False), ([1, 3, 5, 7, 9, 11], True)):
        codes = rng.integers(8, size=(240, 4, 10))
        codes[np.isin(SUBJECT, affected), :, :2] = 8
        table = ranked(codes, y, groups=SUBJECT, units=RECORDING).set_index("codes")
        assert table.loc[[(8,)], "significant"].item() is np.bool_(expected).item()


def test_three_classes_each_have_their_word():
    rng = np.random.default_rng(0)
    codes, y = rng.integers(6, size=(240, 4, 10)), np.arange(240) % 3
    for label in range(3):
        codes[y == label, 0, 0] = 6 + label
    table = ranked(codes, np.array(["a", "b", "c"])[y])
    top = table.loc[:2].sort_values("class")
    assert top["codes"].tolist() == [(6,), (7,), (8,)]
    assert top["class"].tolist() == ["a", "b", "c"]
    assert top["significant"].all()


def test_the_same_seed_gives_the_same_table():
    codes = drifting_codes(np.random.default_rng(0))
    a, b = (ranked(codes, CONDITION, units=RECORDING, seed=7) for _ in range(2))
    assert a.equals(b)


def test_designs_that_test_nothing_are_refused():
    codes = drifting_codes(np.random.default_rng(0))
    model = NgramNaiveBayes().fit(codes, CONDITION)
    with pytest.raises(DataError, match="A unit has more than one label"):
        rank_patterns(model, codes, CONDITION, units=SUBJECT)
    with pytest.raises(DataError, match="A unit has more than one group"):
        rank_patterns(model, codes, SUBJECT % 2, units=SUBJECT % 2, groups=CONDITION)
    with pytest.raises(DataError, match="Labels never differ"):
        rank_patterns(model, codes, np.zeros(240))
    with pytest.raises(DataError, match=r"groups as one value a window, shape \(240,\)"):
        rank_patterns(model, codes, CONDITION, groups=[1, 2])
    with pytest.raises(DataError, match="n_permutations is 0"):
        rank_patterns(model, codes, CONDITION, n_permutations=0)
