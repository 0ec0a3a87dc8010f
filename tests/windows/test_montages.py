"""Joined montages: every window is its subject's own, padded, and all else works as before."""

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.windows import (
    JoinedWindows,
    assert_disjoint,
    join_montages,
    sliding,
    split_by,
    split_contiguous,
)

WIDTHS = (2, 4, 3)


def windows(width, seed=0, *, rate=10.0, units="z", length=1.0, n_recordings=2, **options):
    rng = np.random.default_rng(seed)
    recs = [
        Recording.from_array(
            rng.normal(size=(60 + 10 * k, width)).astype(np.float32),
            rate,
            [f"{'ABCD'[seed]}{i}" for i in range(width)],
            "ieeg",
            units,
            meta={"subject": f"s{seed}", "run": "rest" if k % 2 else "word"},
        )
        for k in range(n_recordings)
    ]
    return sliding(recs, stream="ieeg", length=length, **options)


@pytest.fixture
def parts():
    return [windows(width, seed, labels="run") for seed, width in enumerate(WIDTHS)]


@pytest.fixture
def joined(parts):
    return join_montages(parts)


def test_each_window_is_its_subjects_padded_with_zeros(parts, joined):
    assert len(joined) == sum(map(len, parts))
    assert joined.montages == (
        ("A0", "A1"), ("B0", "B1", "B2", "B3"), ("C0", "C1", "C2")
    )  # fmt: skip
    own = [(number, part[row]) for number, part in enumerate(parts) for row in range(len(part))]
    batch = joined.batch(np.arange(len(joined)))
    assert batch["x"].dtype == torch.float32
    for row, (number, expected) in enumerate(own):
        width = WIDTHS[number]
        assert torch.equal(batch["x"][row, :, :width], expected["x"])
        assert batch["x"][row, :, width:].eq(0).all()
        assert batch["subject"][row] == number
        assert batch["label"][row] == expected["label"]
        assert batch["start"][row] == expected["start"]
        assert batch["recording"][row] == expected["recording"] + 2 * number


@pytest.mark.parametrize("pick", [[0, 38, 5, 20, 5], [3], [14, 13]])
def test_batch_equals_the_items_in_any_order(joined, pick):
    batch = joined.batch(pick)
    assert batch["subject"].dtype == torch.int64
    for key in ("x", "start", "recording", "label", "subject"):
        assert torch.equal(batch[key], torch.stack([joined[i][key] for i in pick]))


def test_taken_windows_keep_their_subjects_numbers(joined):
    rows = np.array([30, 2, 15, 31])
    some = joined.take(rows)
    assert isinstance(some, JoinedWindows)
    assert some.montages == joined.montages
    for key, values in some.batch([3, 0, 1]).items():
        assert torch.equal(values, joined.batch(rows[[3, 0, 1]])[key])
    last = joined.take(joined.subject == 2)
    assert last.batch([0])["subject"] == 2
    assert last.batch([0])["x"].shape[2] == max(WIDTHS)


def test_groups_selections_and_labels(parts, joined):
    subjects = np.repeat(["s0", "s1", "s2"], [len(part) for part in parts])
    np.testing.assert_array_equal(joined.groups("subject"), subjects)
    np.testing.assert_array_equal(joined.labels, np.concatenate([p.labels for p in parts]))
    assert joined.classes == ("rest", "word")
    assert set(joined.sel(subject=["s0", "s2"]).subject) == {0, 2}
    rest = joined.sel(run="rest")
    assert isinstance(rest, JoinedWindows)
    assert (rest.labels == 0).all()
    assert (joined.sampling_rate, joined.units, joined.n_samples) == (10.0, "z", 10)


def test_splits_share_nothing(joined):
    for train, test in split_contiguous(joined, 3):
        assert set(train.subject) == set(test.subject) == {0, 1, 2}
        assert_disjoint(train, test)
    held_out = [set(test.subject) for _, test in split_by(joined, "subject")]
    assert held_out == [{0}, {1}, {2}]
    with pytest.raises(DataError, match="share samples"):
        assert_disjoint(joined, joined.take([4]))


def test_names_are_channels_only_where_all_subjects_have_the_same(joined, parts):
    assert joined.names == ("place 1", "place 2", "place 3", "place 4")
    assert join_montages([parts[0], parts[0]]).names == ("A0", "A1")
    assert repr(joined).endswith("3 subjects of 2, 4, 3 channels>")


def test_nothing_is_copied_before_it_is_asked_for(parts, joined, tmp_path):
    stored = parts[1].recordings[0]["ieeg"].values
    assert np.shares_memory(joined.recordings[2]["ieeg"].values, stored)
    saved = Recording.open(parts[0].recordings[0].save(tmp_path / "r.zarr"))
    lazy = join_montages([sliding(saved, stream="ieeg", length=1.0), windows(3, 2)])
    assert torch.equal(lazy.batch([2, 0])["x"][..., :2], parts[0].batch([2, 0])["x"])


def test_models_train_on_and_encode_joined_windows():
    wins = [windows(w, s, rate=100.0, length=0.2) for s, w in enumerate((2, 3))]
    joined = join_montages(wins)
    config = nk.models.DuINConfig.preset(
        "tiny", channels=(2, 3), sampling_rate=100.0, patch=10, n_samples=20, strides=(2, 1, 1),
        filters=(8, 8, 8), decoder_filters=(8,) * 5, decoder_strides=(1, 1, 2, 1, 5),
    )  # fmt: skip
    model = nk.models.DuIN(config)
    nk.training.fit(model, joined, epochs=3, batch_size=4, lr=1e-3, device="cpu", progress=False)
    z = nk.models.encode(model, joined, batch_size=3, device="cpu")
    assert z.dims == ("window", "token", "feature")
    assert z["subject"].values.tolist() == joined.groups("subject").tolist()
    with pytest.raises(DataError, match="expected whole patches|channels"):
        model.check(join_montages(wins[::-1]))


def test_what_does_not_fit_together():
    one = windows(2)
    with pytest.raises(DataError, match="subject 0 are at 10 Hz, those of subject 1 at 20 Hz"):
        join_montages([one, windows(2, 1, rate=20.0, length=0.5)])
    with pytest.raises(DataError, match="in the unit 'z', those of subject 1 in the unit 'V'"):
        join_montages([one, windows(2, 1, units="uV")])
    with pytest.raises(DataError, match="of 10 samples, those of subject 1 of 20 samples"):
        join_montages([one, windows(2, 1, length=2.0)])
    named = windows(2, labels="run")
    with pytest.raises(DataError, match="with the classes .'rest', 'word'., those of subject 1"):
        join_montages([named, windows(2, 1, labels="run", n_recordings=1)])
    with pytest.raises(DataError, match="Subject 1 has no labels"):
        join_montages([windows(2, labels=[0, 1]), one])


def test_what_cannot_be_joined():
    one = windows(2)
    with pytest.raises(DataError, match="list of windows is empty"):
        join_montages([])
    with pytest.raises(DataError, match="windows of each subject; got Windows"):
        join_montages(one)
    with pytest.raises(DataError, match=r"Subject 1 is .*expected Windows"):
        join_montages([one, [1, 2]])
    with pytest.raises(DataError, match="Subject 0 is joined already"):
        join_montages([join_montages([one]), one])
