"""An assembly holds together, or says in one sentence what does not."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.datasets.assemblies import Assembly
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording.lazy import lazy_array

STIMULI = pd.DataFrame({"text": ["A dog.", "A cat."]}, index=["a", "b"])


def responses(values=None, ids=("a", "b", "a"), **coords):
    values = np.arange(6.0).reshape(3, 2) if values is None else values
    labels = {"stimulus_id": ("presentation", list(ids)), **coords}
    return xr.DataArray(values, dims=("presentation", "neuroid"), coords=labels)


def test_canonical_form():
    made = Assembly("pets", responses(), STIMULI)
    assert made.responses.dtype == np.float32
    assert made.responses["neuroid_id"].values.tolist() == ["0", "1"]
    assert made.responses["region"].values.tolist() == ["", ""]
    assert made.stimuli.index.name == "stimulus_id"
    assert repr(made) == "<Assembly pets: 3 presentations of 2 stimuli (text) × 2 neuroids>"
    assert made.summary()["presentations"] == 3
    with pytest.raises(dataclasses.FrozenInstanceError, match="name"):
        made.name = "other"


def test_the_callers_table_is_not_changed():
    table = STIMULI.copy()
    Assembly("pets", responses(), table)
    assert table.equals(STIMULI)
    assert table.index.name is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stimuli": STIMULI.iloc[:0]}, "table of stimuli is empty"),
        ({"stimuli": pd.concat([STIMULI, STIMULI])}, "2 stimulus ids occur more than once: 'a', "),
        ({"stimuli": [1]}, r"stimuli is \[1\] \(list\), expected a table"),
        ({"responses": responses().T}, r"Try responses.transpose\('presentation', 'neuroid'\)"),
        ({"responses": responses(ids=("a", "b", "c"))}, "1 stimulus ids are not in .*: 'c'"),
        ({"responses": responses().drop_vars("stimulus_id")}, "a coordinate 'stimulus_id'"),
        ({"responses": responses(np.full((3, 2), "x"))}, "Expected numbers as responses"),
        (
            {"responses": responses(np.array([[1, np.nan], [1, np.nan], [1, np.nan]]))},
            r"1 of 2 neuroids .*\(1 of them throughout\): '1'; .*dropna\('neuroid'\)",
        ),
        (
            {"responses": responses(neuroid_id=("neuroid", ["x", "x"]))},
            "1 neuroid ids occur more than once: 'x'",
        ),
        ({"responses": responses(region=("presentation", list("abc")))}, "'region' over 'neuroid'"),
        ({"repeats": xr.DataArray(np.zeros((2, 3, 3)), dims=("repeat", "presentation", "neuroid"))},
         "repeats with dims .* that fit responses"),
        ({"ceiling": xr.DataArray([50.0, 60.0], dims="neuroid")}, "from 0 to 1; got 50 to 60"),
        ({"ceiling": xr.DataArray([0.5], dims="neuroid")}, "one ceiling for each neuroid"),
        ({"meta": 3}, "meta is 3"),
    ],
)  # fmt: skip
def test_contradictions_are_named(given, message):
    parts = {"name": "pets", "responses": responses(), "stimuli": STIMULI, **given}
    with pytest.raises(DataError, match=message):
        Assembly(**parts)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"story": ["s"], "word": ["x"], "onset": [1.0]}, "columns story, word and, where timed"),
        ({"story": [], "word": []}, "0 rows"),
        ({"story": ["s", "s"], "word": ["x", "y"], "onset": [2.0, 1.0], "offset": [3.0, 2.0]},
         "1 of 2 words have no onset.* 'y' of story 's'"),
        ({"story": ["s"], "word": ["x"], "onset": [2.0], "offset": [1.0]}, "end before they begin"),
        ({"story": ["t"], "word": ["x"]}, "1 stories have responses, but no words: 's'"),
    ],
)  # fmt: skip
def test_words_are_checked(table, message):
    heard = responses(story=("presentation", ["s", "s", "s"]))
    with pytest.raises(DataError, match=message):
        Assembly("tale", heard, STIMULI, words=pd.DataFrame(table))


def test_the_onset_of_another_story_begins_again():
    words = pd.DataFrame(
        {"story": ["s", "t"], "word": ["x", "y"], "onset": [5.0, 1.0], "offset": [6.0, 2.0]}
    )
    assert len(Assembly("tale", None, STIMULI, words=words).words) == 2


@pytest.mark.parametrize(
    ("triplets", "message"),
    [
        ([[1, 2, 3]], "rows 1 to 3, but the stimuli are 0 to 2. Are they counted from 1"),
        ([[0, 1, 1]], "1 of 1 triplets show an object twice"),
        ([[0, 1]], r"of shape \(choices, 3\)"),
        ([[0.5, 1, 2]], "whole numbers; got float64"),
    ],
)
def test_triplets_are_checked(triplets, message):
    with pytest.raises(DataError, match=message):
        Assembly("x", None, pd.DataFrame(index=list("abc")), triplets=np.array(triplets))


def test_dissimilarities_are_checked():
    dims = ("subject", "stimulus", "stimulus_")
    good = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    made = Assembly("x", None, STIMULI, rdms=xr.DataArray(good, dims=dims))
    assert made.rdms["stimulus_"].values.tolist() == ["a", "b"]
    with pytest.raises(DataError, match="not symmetric"):
        Assembly("x", None, STIMULI, rdms=xr.DataArray(np.triu(good), dims=dims))
    with pytest.raises(DataError, match="3 unlabelled rows for 2 stimuli"):
        Assembly("x", None, STIMULI, rdms=xr.DataArray(np.zeros((1, 3, 3)), dims=dims))


def test_selection_cuts_all_parts_together():
    given = responses(region=("neuroid", ["V4", "IT"]), run=("presentation", [1, 2, 2]))
    repeats = xr.DataArray(np.zeros((2, 3, 2)), dims=("repeat", "presentation", "neuroid"))
    made = Assembly(
        "pets", given, STIMULI, repeats=repeats, ceiling=xr.DataArray([0.5, 0.6], dims="neuroid")
    )
    part = made.sel(region="IT", run=[2])
    assert part.responses.values.ravel().tolist() == [3.0, 5.0]
    assert part.repeats.shape == (2, 2, 1)
    assert part.ceiling.values.tolist() == [0.6]
    with pytest.raises(DataError, match="no region is 'V1'. There are: IT, V4"):
        made.sel(region="V1")
    with pytest.raises(UnknownNameError, match="Did you mean 'region'"):
        made.sel(regoin="IT")
    with pytest.raises(DataError, match="no responses to select from"):
        Assembly("x", None, STIMULI).sel(region="IT")


def test_lazy_responses_are_not_read():
    def fetch(first, last):
        raise AssertionError("read")

    lazy = lazy_array(("presentation", "neuroid"), (3, 2), fetch, {}, {})
    lazy = lazy.assign_coords(stimulus_id=("presentation", ["a", "b", "a"]))
    assert Assembly("big", lazy, STIMULI).responses.shape == (3, 2)


def test_sets_without_pictures_say_so():
    with pytest.raises(DataError, match="no column 'image'"):
        Assembly("pets", None, STIMULI).images()


def test_ceilings_in_another_order_are_refused():
    import pandas as pd
    import xarray as xr

    from neurokit.datasets.assemblies import Assembly
    from neurokit.errors import DataError

    responses = xr.DataArray(
        [[0.0, 1.0], [1.0, 0.0]], dims=("presentation", "neuroid"),
        coords={"stimulus_id": ("presentation", ["s", "t"]), "neuroid_id": ("neuroid", ["a", "b"])},
    )  # fmt: skip
    ceiling = xr.DataArray([0.5, 0.1], dims="neuroid",
                           coords={"neuroid_id": ("neuroid", ["b", "a"])})  # fmt: skip
    stimuli = pd.DataFrame({"text": ["x", "y"]}, index=["s", "t"])
    with pytest.raises(DataError, match="Ceilings and responses differ in 'neuroid_id'"):
        Assembly("pets", responses, stimuli, ceiling=ceiling)
