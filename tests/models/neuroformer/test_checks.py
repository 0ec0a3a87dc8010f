"""Windows that a Neuroformer was not made for are refused, each with what to do."""

import numpy as np
import pytest

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import with_targets


def recording(scale=1.0, offset=0, gap=False, variables=1):
    rng = np.random.default_rng(0)
    times, units = np.sort(rng.uniform(0, 10, 200)), rng.integers(0, 4, 200)
    units[:4] = np.arange(4)
    values = scale * rng.normal(size=(1000, variables))
    values[500:520] = np.nan if gap else values[500:520]
    beside = nk.Recording.from_array(values, 100, stream="behaviour")["behaviour"]
    spikes = nk.Recording.from_spikes(times, units + offset, duration=10.0)
    return spikes.replace(streams={"spikes": spikes["spikes"], "behaviour": beside})


def windows(rec=None, **changes):
    settings = {"length": 0.1, "history": 0.2, "beside": {"behaviour": 0.3}, **changes}
    return nk.windows.spike_windows(recording() if rec is None else rec, **settings)


def names(rec):
    array = rec["behaviour"]
    return [str(name) for name in array.coords[array.dims[1]].values]


@pytest.fixture
def model():
    return Neuroformer(NeuroformerConfig.of(windows()))


def test_its_own_windows_pass_and_are_trained_on(model):
    model.check(windows())
    win = windows()
    assert bool(model.loss(win.batch(np.arange(8)))["loss"].isfinite())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: windows(length=0.2), "length of the windows is 0.2 s, of the model 0.1 s"),
        (lambda: windows(history=0.1), "history of the windows is 0.1 s"),
        (lambda: windows(dt=0.02), "dt of the windows is 0.02 s"),
        (
            lambda: windows(recording(offset=1)),
            r"1 of the windows' 4 units are new to the model, .* 4 of",
        ),
        (lambda: windows(beside={"behaviour": 0.2}), r"behaviour of shape \(20, 1\)"),
        (lambda: windows(recording(variables=2)), r"behaviour of shape \(30, 2\)"),
        (lambda: windows(recording(scale=100.0)), "expected z-scores"),
    ],
)
def test_other_windows_are_refused(model, make, message):
    with pytest.raises(DataError, match=message):
        model.check(make())


def test_missing_values_are_refused(model):
    with pytest.raises(DataError, match="missing or infinite values"):
        model.check(windows(recording(gap=True)))


def test_streams_and_units_that_lack_are_named(model):
    with pytest.raises(UnknownNameError, match=r"cut windows with beside=\) 'behaviour'"):
        model.check(windows(beside=None))
    few = nk.Recording.from_spikes([0.5, 0.6, 0.7], [0, 1, 2], duration=10.0)
    streams = {"spikes": few["spikes"], "behaviour": recording()["behaviour"]}
    win = windows(few.replace(streams=streams))
    with pytest.raises(DataError, match="vocabulary of 3 units"):
        model.check(win)


def test_what_is_advised_about_units_helps(model):
    other = recording(offset=1)
    words = nk.windows.Vocabulary(model.config.vocabulary)
    with pytest.raises(UnknownNameError, match=r"\(see Vocabulary.extend\) '4'"):
        windows(other, vocabulary=words)
    with pytest.raises(DataError, match=r"Let both know them: vocabulary = nk.windows.Vocabulary"):
        model.check(windows(other))
    with pytest.raises(DataError, match=r"Try Vocabulary\(model.config.vocabulary\).extend"):
        model.extend(windows(other).vocabulary)
    words = nk.windows.Vocabulary(model.config.vocabulary).extend(other)
    assert model.extend(words) is model
    model.check(windows(other, vocabulary=words))
    turned = nk.windows.Vocabulary(tuple(model.config.vocabulary)[::-1])
    with pytest.raises(DataError, match=r"Place 0 of the vocabulary is unit 4 .* Cut windows with"):
        model.check(windows(other, vocabulary=turned))
    plain = Neuroformer(NeuroformerConfig.preset("tiny", length=0.1, history=0.2))
    with pytest.raises(DataError, match=r"4 units, the model of 60. Make the model with Neurofo"):
        plain.check(windows())


@pytest.mark.parametrize("verb", ["check", "generate", "connectivity"])
def test_a_recording_is_no_set_of_windows(model, verb):
    with pytest.raises(DataError, match=r"expected windows of spikes, see nk.windows.spike_wind"):
        getattr(model, verb)(recording())


def test_labels_may_be_missing_but_not_others():
    rec = recording(variables=2)
    first, second = names(rec)
    win = windows(rec, beside=None, targets={"behaviour": [first]})
    model = Neuroformer(NeuroformerConfig.of(win))
    model.check(win)
    model.check(windows(rec, beside=None))
    Neuroformer(NeuroformerConfig.of(windows(rec, beside=None))).check(win)
    with pytest.raises(DataError, match="the model reads"):
        model.check(windows(rec, beside=None, targets={"behaviour": [second]}))


def labelled(values):
    rec = recording().replace(streams={"spikes": recording()["spikes"]})
    column = np.repeat(np.asarray(values, dtype=np.float64), 10)[:, None]
    beside = nk.Recording.from_array(column, 100, ["label"], stream="behaviour")["behaviour"]
    streams = {"spikes": rec["spikes"], "behaviour": beside}
    return windows(rec.replace(streams=streams), beside=None, targets={"behaviour": ["label"]})


def test_modalities_in_another_unit_are_warned_of():
    model = Neuroformer(NeuroformerConfig.of(windows()))
    with pytest.warns(UserWarning, match=r"behaviour has a mean of .*fit_on=...\) with the train"):
        model.check(windows(recording(scale=8.0)))
    rec = recording(variables=2)
    shifted = rec["behaviour"].copy()
    shifted.values[:, 1] += 4
    rec = rec.replace(streams={"spikes": rec["spikes"], "behaviour": shifted})
    model = Neuroformer(NeuroformerConfig.of(windows(rec)))
    with pytest.warns(UserWarning, match="Variable 1 of behaviour has a mean of 3.99"):
        model.check(windows(rec))
    z = nk.preprocessing.standardize(rec, "behaviour")
    model.check(windows(z))


def test_targets_are_compared_with_the_scale_that_the_model_knows():
    rng = np.random.default_rng(3)
    win, other = labelled(rng.uniform(0, 30, 100)), labelled(1000 + rng.uniform(0, 30, 100))
    model = Neuroformer(NeuroformerConfig.of(win))
    model.check_labels(win)
    with pytest.warns(UserWarning, match="'label' lies .* in the unit of those that"):
        model.check_labels(other)
    plain = NeuroformerConfig.of(win, target_mean=(), target_spread=())
    with pytest.warns(UserWarning, match=r"with_targets\(model, names, win=win\)"):
        Neuroformer(plain).check_labels(win)
    with pytest.raises(DataError, match="'label' lies .* takes for granted, 0 ± 1"):
        Neuroformer(plain).check_labels(other)


def test_few_labels_side_by_side_do_not_refuse_the_rest():
    speed = np.sin(np.arange(100) / 15)
    win = labelled(speed)
    few = win.take(range(20, 23))
    tuned = with_targets(Neuroformer(NeuroformerConfig.of(win)), ["label"], win=few)
    tuned.check_labels(few)
    with pytest.warns(UserWarning, match="were those enough"):
        tuned.check_labels(win)


def test_animals_that_stand_still_are_not_taken_for_classes():
    rng = np.random.default_rng(0)
    fast, slow = rng.uniform(0, 40, 100), np.r_[np.zeros(70), rng.uniform(0, 3, 30)]
    fast[5:7] = 0, 40
    model = Neuroformer(NeuroformerConfig.of(labelled(fast), target_classes=5))
    with pytest.warns(UserWarning, match="are one of the 5 classes"):
        model.check_labels(labelled(slow))
    still = nk.preprocessing.standardize(recording(), "behaviour")["behaviour"] * 0
    still[-200:-180] = 9.0
    rec = recording().replace(streams={"spikes": recording()["spikes"], "behaviour": still})
    win = windows(rec)
    model = Neuroformer(NeuroformerConfig.of(win))
    model.check(win.take(np.flatnonzero(abs(win.start - 8.1) < 0.15)))


def test_a_choice_that_changes_inside_windows_is_told_of():
    turns = np.arange(1000) // 43 % 2 * 2.0
    rec = recording().replace(streams={"spikes": recording()["spikes"]})
    beside = nk.Recording.from_array(turns[:, None], 100, ["choice"], stream="behaviour")
    rec = rec.replace(streams={"spikes": rec["spikes"], "behaviour": beside["behaviour"]})
    win = windows(rec, beside=None, targets={"behaviour": ["choice"]})
    between = np.flatnonzero(abs(win.targets[:, 0] - win.targets[:, 0].round()) > 1e-3)
    model = Neuroformer(NeuroformerConfig.of(win, target_classes=3))
    with pytest.warns(UserWarning, match=f"changes inside {len(between)} of {len(win)} windows"):
        model.check_labels(win)
    model.check_labels(win.take(np.delete(np.arange(len(win)), between)))


def test_classes_that_nothing_tells_apart_are_refused():
    win = labelled(np.arange(100) // 7 % 2)
    Neuroformer(NeuroformerConfig.of(win, target_classes=2)).check_labels(win)
    wide = Neuroformer(NeuroformerConfig.of(win, target_classes=2, target_range=(-3.0, 3.0)))
    with pytest.raises(DataError, match="All labels of 'label', 0 to 1, are one of the 2 classes"):
        wide.fit(win, epochs=1, batch_size=32, lr=1e-3, device="cpu", progress=False)
    wide.check(win)  # to be read
    wide.check_labels(win.take(np.flatnonzero(win.targets[:, 0] == 1)))
    slow = labelled(np.random.default_rng(3).uniform(0.2, 0.9, 100))
    far = NeuroformerConfig.of(slow, target_classes=2, target_range=(0.0, 9.0))
    with pytest.warns(UserWarning, match="nothing tells them apart. Are these labels in the unit"):
        Neuroformer(far).check_labels(slow)
    narrow = NeuroformerConfig.of(slow, target_classes=2, target_range=(0.0, 0.7))
    with pytest.warns(UserWarning, match=r"\d\d% of the labels of 'label' lie beyond the 2"):
        Neuroformer(narrow).check_labels(slow)


def test_classes_of_unequal_distance_are_told_of():
    win = labelled(np.array([1, 10, 100])[np.arange(100) // 5 % 3])
    model = Neuroformer(NeuroformerConfig.of(win, target_classes=3))
    with pytest.warns(UserWarning, match="1 and 10 of 'label' are the same one of the 3 classes"):
        model.check_labels(win)
    exact = labelled(np.array([0.1, 0.2, 0.3])[np.arange(100) // 5 % 3])
    Neuroformer(NeuroformerConfig.of(exact, target_classes=3)).check_labels(exact)
    laps = labelled(np.arange(100) // 2 % 40)
    model = Neuroformer(NeuroformerConfig.of(laps, target_classes=10))
    model.check_labels(laps)
    model.check(laps.take(range(3)))


def beside(names, units="z"):
    """Return windows of spikes beside two variables, one of two names each, and a target."""
    rng = np.random.default_rng(0)
    streams = {
        "behaviour": nk.Recording.from_array(rng.normal(size=(500, 2)), 50, names, "behaviour"),
        "speed": nk.Recording.from_array(rng.normal(size=(500, 1)), 50, ["v"], "speed", units),
    }
    rec = nk.Recording.from_spikes(
        np.sort(rng.uniform(0, 10, 300)), np.resize([0, 1, 2], 300), 10.0,
        streams={name: one[name] for name, one in streams.items()},
    )  # fmt: skip
    cut = {"length": 0.2, "history": 0.2, "beside": {"behaviour": 0.2}}
    return nk.windows.spike_windows(rec, targets={"speed": ["v"]}, **cut)


def test_variables_beside_the_spikes_are_known_by_name():
    win = beside(["run", "light"])
    model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win, width=16, n_heads=2))
    assert model.config.modalities[0].variables == ("run", "light")
    model.check(beside(["run", "light"]))
    for names in (["light", "run"], ["pupil", "lick"]):
        with pytest.raises(DataError, match=f"behaviour are {', '.join(names)} .* run, light in"):
            model.check(beside(names))
    with pytest.raises(DataError, match="2 variables and the names"):
        nk.models.neuroformer.Modality("a", n_variables=2, variables=("x", "x"))


def test_targets_have_the_unit_in_which_they_were_learnt():
    win = beside(["run", "light"], "cm/s")
    plain = nk.models.NeuroformerConfig.of(win, width=16, n_heads=2)
    model = nk.models.Neuroformer(plain)
    tuned = nk.models.neuroformer.with_targets(model, ["v"], win=win)
    for one in (model, tuned):
        assert one.config.target_units == ("cm/s",)
        one.check(beside(["run", "light"], "cm/s"))
        with pytest.raises(DataError, match="'v' is in 'm/s', the model learned it in 'cm/s'"):
            one.check(beside(["run", "light"], "m/s"))
    forgetful = nk.models.neuroformer.with_targets(model, ["v"])
    assert forgetful.config.target_units == ()
