"""Folds never share presentations or groups, and layers are chosen without the test set."""

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import splits
from neurokit.alignment.benchmarks.folds import inner_fits, make_split, make_split_of
from neurokit.catalog.benchmarks import Folds
from neurokit.errors import DataError, UnknownNameError

N = 60
RESPONSES = xr.DataArray(
    np.zeros((N, 2)),
    dims=("presentation", "neuroid"),
    coords={"story": ("presentation", np.repeat(list("abcdef"), 10))},
)
KINDS = [
    {"kind": "contiguous", "n": 5, "gap": 2},
    {"kind": "group", "group": "story"},
    {"kind": "group", "group": "story", "n": 3},
    {"kind": "chunked", "n": 3, "chunk": 5, "gap": 1},
    {"kind": "given", "group": "story", "test": ["b", "d"]},
    {"kind": "shuffled", "n": 5},
    {"kind": "shuffled", "n": 10, "share": 0.1},
]


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_training_and_test_never_meet(settings):
    split = make_split(Folds(**settings), RESPONSES)
    reach = settings.get("gap", 0)
    for train, test in split.folds:
        assert not np.intersect1d(train, test).size
        assert np.abs(np.subtract.outer(train, test)).min() > reach or reach == 0


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_a_layer_is_chosen_without_the_test_set(settings):
    split = make_split(Folds(**settings), RESPONSES)
    reached = set()
    for train, scored in inner_fits(split):
        for k, test in scored:
            outer_train, outer_test = split.folds[k]
            assert np.isin(train, outer_train).all()
            assert np.isin(test, outer_train).all()
            assert not np.intersect1d(train, test).size
            assert not np.intersect1d(np.union1d(train, test), outer_test).size
            reached.add(k)
    assert reached == set(range(len(split.folds)))


@pytest.mark.parametrize("kind", ["group", "given"])
def test_groups_stay_whole(kind):
    split = make_split(Folds(kind=kind, group="story", test=["b"]), RESPONSES)
    for train, test in split.folds:
        assert not set(split.groups[train]) & set(split.groups[test])


def test_two_folds_share_a_fit():
    split = make_split_of(splits.contiguous(50, 5))
    assert len(inner_fits(split)) == 10
    assert len(inner_fits(split, reach=1)) == 5


def test_delays_widen_the_gap():
    split = make_split(Folds(kind="contiguous", n=3, gap=1), RESPONSES, reach=4)
    assert "gap of 4" in split.text
    train, test = split.folds[1]
    assert np.abs(np.subtract.outer(train, test)).min() == 5


def test_a_gap_wider_than_the_series_says_why():
    with pytest.raises(DataError, match="A gap of 40 samples leaves nothing to train on"):
        make_split(Folds(kind="chunked", n=3, chunk=5), RESPONSES, reach=40)


def test_chunks_are_dealt_by_the_seed():
    wanted = Folds(kind="chunked", n=3, chunk=5)
    one, same, other = (make_split(wanted, RESPONSES, seed=s).folds for s in (0, 0, 1))
    assert all((a[1] == b[1]).all() for a, b in zip(one, same, strict=True))
    assert any(len(a[1]) != len(b[1]) or (a[1] != b[1]).any()
               for a, b in zip(one, other, strict=True))  # fmt: skip
    assert sorted(np.concatenate([test for _, test in one])) == list(range(N))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "given", "group": "story", "test": ["z"]}, "there are 0 of 60"),
        (
            {"kind": "chunked", "n": 5, "chunk": 30},
            "Cannot cut 2 chunks of 30 samples into 5 folds",
        ),
    ],
)
def test_impossible_folds_say_why(settings, message):
    with pytest.raises(DataError, match=message):
        make_split(Folds(**settings), RESPONSES)


def test_unknown_group_names_the_known():
    with pytest.raises(UnknownNameError, match="Did you mean 'story'"):
        make_split(Folds(kind="group", group="storys"), RESPONSES)
