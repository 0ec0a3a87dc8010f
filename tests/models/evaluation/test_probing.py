"""The linear probe: it finds what is there, and nothing where there is nothing."""

import warnings

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

import neurokit as nk
from neurokit.errors import DataError
from neurokit.models import linear_probe


def subjects(n_subjects=12, n_each=20, effect=1.0, n_features=5, own=1.0, seed=0):
    """Windows whose first feature shows the label, under a mean of each subject's own."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(n_subjects), n_each)
    y = np.tile(np.repeat([0, 1], n_each // 2), n_subjects)
    z = rng.normal(size=(subject.size, n_features))
    z += own * rng.normal(size=(n_subjects, n_features))[subject]
    z[:, 0] += effect * y
    return z, y, subject


ONE = {"strengths": [0.01], "n_bootstrap": 5}  # where it does not matter how sure one can be


def auroc(found, name="mean"):
    return float(found[name].sel(metric="auroc"))


def test_equals_scikit_learn_in_each_fold():
    z, y, subject = subjects()
    found = linear_probe(z, y, subject, cv=4, strengths=[0.1], n_bootstrap=10)
    for k in range(4):
        test = np.isin(subject, [3 * k, 3 * k + 1, 3 * k + 2])
        scaler = StandardScaler().fit(z[~test])
        model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
        p = model.fit(scaler.transform(z[~test]), y[~test]).predict_proba(scaler.transform(z[test]))
        np.testing.assert_allclose(found["probability"].values[test], p, atol=1e-6)
        assert float(found["score"].sel(metric="auroc")[k]) == pytest.approx(
            roc_auc_score(y[test], p[:, 1])
        )
    assert auroc(found) == pytest.approx(float(found["score"].sel(metric="auroc").mean()))
    assert auroc(found, "pooled") == pytest.approx(roc_auc_score(y, found["probability"][:, 1]))


def test_a_planted_effect_is_found_and_lies_in_the_interval():
    # Means that differ by d deviations give an area of Phi(d / sqrt 2).
    z, y, subject = subjects(n_subjects=30, effect=2.0, n_features=1, own=0.0)
    found = linear_probe(z, y, subject, cv=5, strengths=[0.1])
    truth = 0.9214
    low, high = auroc(found, "low"), auroc(found, "high")
    assert low < truth < high
    assert high - low < 0.1
    assert auroc(found) == pytest.approx(truth, abs=0.03)


def test_noise_scores_chance_and_the_penalty_is_strong():
    z, y, subject = subjects(effect=0.0, n_features=40)
    found = linear_probe(z, y, subject, cv=4, n_permutations=19)
    assert auroc(found, "low") < 0.5
    assert float(found["p"].sel(metric="auroc")) > 0.05
    assert float(found["null"].sel(metric="auroc").mean()) == pytest.approx(0.5, abs=0.04)
    assert float(found["strength"].max()) < 0.01
    assert found["chance"].values.tolist() == [0.5, 0.5, 0.5]


def test_an_effect_beats_its_permutations():
    z, y, subject = subjects(effect=1.5)
    found = linear_probe(z, y, subject, cv=4, n_permutations=19, strengths=[0.01])
    assert float(found["p"].sel(metric="auroc")) == pytest.approx(1 / 20)


def test_subjects_as_groups_do_not_show_what_only_identifies_them():
    # Features are a subject's own, labels are random a subject: there is nothing to learn.
    z, _, subject = subjects(n_subjects=40, effect=0.0, n_features=20, own=5.0)
    y = np.random.default_rng(1).permutation(np.arange(40) % 2)[subject]
    honest = linear_probe(z, y, subject, cv=5, strengths=[1.0])
    order = np.random.default_rng(2).permutation(y.size)
    leaky = linear_probe(z[order], y[order], cv=5, strengths=[1.0])
    assert auroc(leaky) > 0.9
    assert auroc(honest, "low") < 0.5


def test_labels_of_whole_subjects_are_exchanged_between_them():
    z, y, subject = subjects(n_subjects=12, effect=0.0)
    y = (subject % 2).astype(int)
    z[:, 0] += 4 * y
    found = linear_probe(z, y, subject, cv=3, n_permutations=19, strengths=[0.1])
    assert auroc(found) > 0.9
    assert float(found["null"].sel(metric="auroc").mean()) < 0.75


def test_affine_changes_of_features_and_order_of_windows_do_not_matter():
    z, y, subject = subjects()
    order = np.random.default_rng(0).permutation(y.size)
    found = linear_probe(z, y, subject, cv=4, **ONE)
    moved = linear_probe((1e-6 * z + 3e-5)[order], y[order], subject[order], cv=4, **ONE)
    np.testing.assert_allclose(moved["probability"], found["probability"][order], atol=1e-3)


def test_tokens_are_averaged_and_tensors_welcome():
    z, y, subject = subjects()
    tokens = np.stack([z + 1, z - 1, z], axis=1)
    plain = linear_probe(z, y, subject, **ONE)
    for given in (tokens, torch.from_numpy(tokens)):
        found = linear_probe(given, y, subject, **ONE)
        np.testing.assert_allclose(found["probability"], plain["probability"], atol=1e-4)


def test_labels_and_names_come_with_the_representation():
    z, y, subject = subjects()
    names = np.array(["rest", "task"])[y]
    array = xr.DataArray(z, dims=("window", "feature"), coords={"label": ("window", names)})
    found = linear_probe(array, groups=subject, **ONE)
    assert found["class"].values.tolist() == ["rest", "task"]
    assert (found.attrs["n_windows"], found.attrs["n_groups"]) == (240, 12)


def test_the_subjects_of_a_representation_are_its_groups():
    z, y, subject = subjects()
    array = xr.DataArray(z, dims=("window", "feature")).assign_coords(subject=("window", subject))
    wanted, found = (linear_probe(z, y, subject, **ONE), linear_probe(array, y, **ONE))
    xr.testing.assert_identical(found, wanted)
    assert found.attrs["n_groups"] == np.unique(subject).size
    blocks = linear_probe(array, y, np.arange(len(y)), **ONE)
    assert blocks.attrs["n_groups"] == len(y)
    # Folds that the caller made, within subjects as well, stay as they are.
    odd = np.arange(len(y)) % 4 < 2
    assert linear_probe(array, y, cv=[(odd, ~odd)], **ONE).sizes["fold"] == 1


def test_three_classes():
    z, y, subject = subjects(n_each=30, own=0.0)
    y = np.tile(np.repeat([0, 1, 2], 10), 12)
    z[:, :3] += 3 * np.eye(3)[y]
    found = linear_probe(z, y, subject, cv=3, **ONE)
    assert found["score"].sizes == {"metric": 3, "fold": 3}
    assert float(found["mean"].min()) > 0.8
    np.testing.assert_allclose(found["chance"], [1 / 2, 1 / 3, 1 / 3])


def test_what_is_learnt_within_a_fold_sees_its_training_rows_alone():
    z, y, subject = subjects()
    seen = []

    def features(train):
        seen.append(set(subject[train]))
        return z

    found = linear_probe(features, y, subject, cv=4, n_permutations=2, **ONE)
    assert [len(s) for s in seen] == [9, 9, 9, 9]  # permutations do not learn again
    assert set.intersection(*seen) == set()
    plain = linear_probe(z, y, subject, cv=4, **ONE)
    xr.testing.assert_identical(found["probability"], plain["probability"])


def test_given_folds_leave_other_windows_untested():
    z, y, subject = subjects()
    found = linear_probe(z, y, subject, cv=[(subject < 8, subject >= 10)])
    tested = ~np.isnan(found["probability"][:, 0].values)
    assert (tested == (subject >= 10)).all()
    assert found["score"].sizes["fold"] == 1
    assert auroc(found, "low") <= auroc(found) <= auroc(found, "high")


def test_leave_one_subject_out_of_patients_and_controls_has_a_pooled_score_alone():
    z, _, subject = subjects(effect=0.0, own=0.0)
    y = subject % 2
    z[:, 0] += 3 * y
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = linear_probe(z, y, subject, cv=12, strengths=[0.1])
    assert np.isnan(found["score"]).all()
    assert np.isnan(auroc(found, "low"))
    assert auroc(found, "pooled") > 0.9


def test_the_same_seed_gives_the_same_interval():
    z, y, subject = subjects()
    a, b, c = (linear_probe(z, y, subject, strengths=[0.01], seed=s) for s in (0, 0, 1))
    xr.testing.assert_identical(a, b)
    assert auroc(a, "low") != auroc(c, "low")
    assert auroc(a) == auroc(c)


Z, Y, S = subjects(n_subjects=4, n_each=6)
HOLE = Z.copy()
HOLE[7, 2] = np.nan
WRONG = {
    "z has 20 windows and there are 24 labels": {"z": Z[:20]},
    r"groups of shape \(3,\) for 24 windows": {"groups": [1, 2, 3]},
    "not finite in 1 of 24 windows, the first of them 7": {"z": HOLE},
    r"z has shape \(24,\)": {"z": Z[:, 0]},
    "All 24 windows have the label 0": {"y": 0 * Y},
    "Cannot make 5 folds of 4 groups, such as subjects.*Give cv=4 or less": {"cv": 5},
    "There are no labels. Give y an array": {"y": "trial_type"},
    "There are no labels. Give y an array with the class": {"z": Z[:0], "y": [], "groups": None},
    "groups is the text 'subject'. Give one a window, such as win.groups": {"groups": "subject"},
    "cv is 1 ": {"cv": 1},
    "cv is 2.5": {"cv": 2.5},
    "lack class 1": {"y": (S == 0).astype(int), "cv": [(S > 0, S == 0)]},
    "has no window to test on": {"cv": [(S > 0, S > 9)]},
    "penalty of fold 0 cannot be chosen": {"cv": [(S < 2, S > 1)], "y": S % 2},
    "strength is -1": {"strengths": [-1.0]},
    "strengths is empty": {"strengths": []},
    "There are no labels": {"y": None},
    "n_bootstrap is 0": {"n_bootstrap": 0},
}


@pytest.mark.parametrize("message", WRONG)
def test_bad_input_has_one_clear_error(message):
    with pytest.raises(DataError, match=message):
        linear_probe(**{"z": Z, "y": Y, "groups": S, "cv": 2, **WRONG[message]})


def test_it_is_where_users_look_for_it():
    assert nk.models.linear_probe is linear_probe
