"""The quantiser: its formulas by hand, clusters found, codes kept alive, nothing moved in eval."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from neurokit.errors import DataError
from neurokit.models.nn import VectorQuantizer, cluster_centres, perplexity
from neurokit.models.nn.kmeans import nearest, unit

ALL = pytest.mark.parametrize("metric", ["euclidean", "cosine"])
BOTH = pytest.mark.parametrize("ema", [0.99, None])


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def planted(n, k=16, dim=16, seed=0, spread=0.2):
    """Return vectors around k orthogonal directions, and which one each is from."""
    at = torch.randint(k, (n,), generator=torch.Generator().manual_seed(seed))
    return 4 * torch.eye(k, dim)[at] + spread * noise(n, dim, seed=seed + 1), at


def at_once(n_codes, dim, *args, **options):
    """Make a quantiser that has neither a start nor revival."""
    return VectorQuantizer(n_codes, dim, *args, kmeans_batches=0, revive_after=None, **options)


def state_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


# Nearest codes, and gradients


@ALL
def test_one_product_finds_the_nearest(metric):
    x, centres = noise(500, 8), noise(40, 8, seed=1)
    if metric == "cosine":
        x, centres = unit(x), unit(centres)
    expected = torch.cdist(x.double(), centres.double()).argmin(dim=1)
    assert torch.equal(nearest(x, centres, metric == "cosine"), expected)


def test_products_held_at_a_time_do_not_matter(monkeypatch):
    x, centres = noise(500, 8), noise(40, 8, seed=1)
    whole = nearest(x, centres)
    monkeypatch.setattr("neurokit.models.nn.kmeans.PRODUCTS_AT_ONCE", 1000)
    assert torch.equal(nearest(x, centres), whole)


@ALL
@BOTH
def test_what_comes_out_is_the_codes_themselves(metric, ema):
    quantizer = VectorQuantizer(32, 8, metric, ema).eval()
    quantized, indices, _ = quantizer(noise(3, 5, 8))
    assert indices.shape == (3, 5)
    assert torch.equal(quantized, quantizer.lookup(indices))
    if metric == "cosine":
        torch.testing.assert_close(quantized.norm(dim=-1), torch.ones(3, 5))


@BOTH
def test_the_gradient_goes_straight_through(ema):
    z, weight = noise(6, 4).requires_grad_(), noise(6, 4, seed=1)
    quantized, _, _ = VectorQuantizer(8, 4, ema=ema).eval()(z)
    (quantized * weight).sum().backward()
    torch.testing.assert_close(z.grad, weight)


def test_unit_codes_pass_the_gradient_of_the_normalisation():
    z, weight = noise(6, 4).requires_grad_(), noise(6, 4, seed=1)
    quantized, _, _ = VectorQuantizer(8, 4, "cosine").eval()(z)
    (quantized * weight).sum().backward()
    other = z.detach().clone().requires_grad_()
    (unit(other) * weight).sum().backward()
    torch.testing.assert_close(z.grad, other.grad)


def test_the_loss_and_its_gradients_are_the_papers():
    quantizer = at_once(8, 4, ema=None, commitment=0.25)
    z = noise(10, 4).requires_grad_()
    _, indices, loss = quantizer(z)
    loss.backward()
    difference = (z - quantizer.codebook[indices]).detach()
    torch.testing.assert_close(loss.detach(), 1.25 * difference.square().mean())
    torch.testing.assert_close(z.grad, 0.25 * 2 * difference / 40)
    expected = torch.zeros(8, 4).index_add_(0, indices, -2 * difference / 40)
    torch.testing.assert_close(quantizer.store.weight.grad, expected)


def test_codes_that_follow_averages_have_no_loss_of_their_own():
    quantizer = at_once(8, 4, commitment=0.5)
    codes, z = quantizer.codebook.clone(), noise(10, 4)
    _, indices, loss = quantizer(z)
    torch.testing.assert_close(loss, 0.5 * (z - codes[indices]).square().mean())
    assert not list(quantizer.parameters())


# Averages


def test_averages_are_those_of_the_formula():
    """Sonnet's form: decayed counts and sums, and their ratio."""
    quantizer = at_once(4, 3, ema=0.9)
    counts, sums = torch.zeros(4).double(), torch.zeros(4, 3).double()
    codes = quantizer.codebook.double()
    for step in range(5):
        z = noise(50, 3, seed=step)
        _, indices, _ = quantizer(z)
        for k in range(4):
            chosen = z[indices == k].double()
            counts[k] = 0.9 * counts[k] + 0.1 * len(chosen)
            sums[k] = 0.9 * sums[k] + 0.1 * chosen.sum(dim=0)
            if counts[k] > 0:
                codes[k] = sums[k] / counts[k]
        torch.testing.assert_close(quantizer.codebook.double(), codes, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(quantizer.store.counts.double(), counts)


def test_unit_averages_are_those_of_the_formula():
    quantizer = at_once(4, 3, "cosine", ema=0.9)
    for step in range(5):
        codes = quantizer.codebook.clone()
        z = noise(6, 3, seed=step)
        _, indices, _ = quantizer(z)
        for k in indices.unique():
            mean = unit(unit(z[indices == k]).mean(dim=0))
            codes[k] = unit(0.9 * codes[k] + 0.1 * mean)
        torch.testing.assert_close(quantizer.codebook, codes)
        torch.testing.assert_close(quantizer.codebook.norm(dim=1), torch.ones(4))


def test_codes_nothing_chooses_stay_where_they_are():
    quantizer = at_once(4, 2, ema=0.5)
    z = quantizer.codebook[:1] + 0.01
    others = quantizer.codebook[1:].clone()
    for _ in range(3000):
        quantizer.store.learn(z, torch.zeros(1, dtype=torch.int64))
    assert torch.equal(quantizer.codebook[1:], others)
    torch.testing.assert_close(quantizer.codebook[0], z[0])


# Start


@ALL
@BOTH
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_clusters_are_recovered(metric, ema, seed):
    quantizer = VectorQuantizer(16, 16, metric, ema, kmeans_batches=4, seed=seed)
    for step in range(12):
        quantizer(planted(128, seed=100 * seed + step)[0])
    z, truth = planted(2000, seed=7)
    _, indices, _ = quantizer.eval()(z)
    table = torch.zeros(16, 16).index_put_((truth, indices), torch.ones(()), accumulate=True)
    assert int((table > 0).sum()) == 16
    assert quantizer.perplexity > 15
    assert quantizer.n_used == 16
    assert perplexity(table.sum(dim=0)) > 15


@BOTH
def test_a_random_start_is_saved_by_revival(ema):
    quantizer = VectorQuantizer(16, 16, ema=ema, kmeans_batches=0, revive_after=3)
    for step in range(60):
        quantizer(planted(256, seed=step)[0])
    _, indices, _ = quantizer.eval()(planted(2000, seed=99)[0])
    assert perplexity(torch.bincount(indices, minlength=16)) > 10


def test_without_help_the_codebook_collapses():
    quantizer = at_once(16, 16)
    for step in range(60):
        quantizer(planted(256, seed=step)[0] + 10)
    assert quantizer.perplexity < 5


@BOTH
def test_batches_pass_unquantised_until_there_are_enough(ema):
    quantizer = VectorQuantizer(8, 4, ema=ema, kmeans_batches=3)
    codes = quantizer.codebook.clone()
    for step in range(2):
        z = noise(20, 4, seed=step)
        quantized, _, loss = quantizer(z)
        assert torch.equal(quantized, z)
        assert loss == 0
        assert torch.equal(quantizer.codebook, codes)
        assert quantizer.statistics() == {"perplexity": 0, "used_codes": 0}
    quantized, _, loss = quantizer(z)
    assert not torch.equal(quantized, z)
    assert loss > 0
    assert not quantizer.store.pending.any()


def test_few_vectors_are_enough_for_a_start():
    quantizer = VectorQuantizer(32, 4, kmeans_batches=2)
    z = noise(3, 4)
    for _ in range(4):
        quantized, _, _ = quantizer(z)
    torch.testing.assert_close(quantized, z)
    assert torch.isfinite(quantizer.codebook).all()


@ALL
@BOTH
@pytest.mark.parametrize("value", [0.0, 2.0])
def test_constant_input_makes_no_missing_values(metric, ema, value):
    quantizer = VectorQuantizer(8, 4, metric, ema, kmeans_batches=2, revive_after=2)
    for _ in range(8):
        z = torch.full((10, 4), value, requires_grad=True)
        quantized, _, loss = quantizer(z)
        (loss + quantized.sum()).backward()
        assert torch.isfinite(z.grad).all()
        assert torch.isfinite(loss)
    assert torch.isfinite(quantizer.codebook).all()
    assert 0.99 < quantizer.perplexity <= 8


def test_an_empty_batch_changes_no_code():
    quantizer = VectorQuantizer(8, 4, kmeans_batches=1)
    quantizer(noise(20, 4))
    codes = quantizer.codebook.clone()
    _, indices, loss = quantizer(torch.zeros(0, 4))
    assert len(indices) == 0
    assert loss == 0
    assert torch.equal(quantizer.codebook, codes)


# Revival


@ALL
@BOTH
def test_a_dead_code_moves_to_an_input(metric, ema):
    quantizer = VectorQuantizer(16, 16, metric, ema, kmeans_batches=1, revive_after=5)
    quantizer(planted(128)[0])
    with torch.no_grad():
        quantizer.store.weight[3] = -unit(torch.ones(16)) * (1 if metric == "cosine" else 100)
    for step in range(1, 6):
        z = planted(128, seed=step)[0]
        indices = quantizer(z)[1]
        assert 3 not in indices
    z = planted(128, seed=6)[0]
    assert 3 in quantizer(z)[1]
    assert quantizer.n_used == 16


def test_revived_codes_go_to_different_vectors():
    quantizer = VectorQuantizer(8, 4, kmeans_batches=0, revive_after=1, ema=None)
    quantizer.store.idle.fill_(1)
    z = noise(20, 4)
    quantizer(z)
    assert len(quantizer.codebook.unique(dim=0)) == 8
    assert (torch.cdist(quantizer.codebook, z).amin(dim=1) == 0).all()


def test_without_revival_a_dead_code_lies():
    quantizer = VectorQuantizer(4, 2, kmeans_batches=0, revive_after=None)
    with torch.no_grad():
        quantizer.store.weight[3] = 1000.0
    for step in range(200):
        quantizer(noise(20, 2, seed=step))
    assert quantizer.n_used == 3
    assert (quantizer.codebook[3] == 1000).all()


# State


@ALL
@BOTH
def test_evaluation_changes_nothing(metric, ema):
    quantizer = VectorQuantizer(8, 4, metric, ema, kmeans_batches=2, revive_after=1)
    for step in range(5):
        quantizer.eval()
        before = state_of(quantizer)
        first = quantizer(noise(30, 4, seed=50))
        assert same(before, state_of(quantizer))
        assert torch.equal(first[1], quantizer(noise(30, 4, seed=50))[1])
        quantizer.train()(noise(30, 4, seed=step))
        assert not same(before, state_of(quantizer))


@ALL
@BOTH
@pytest.mark.parametrize("stop", [1, 2, 7])
def test_a_resumed_run_ends_the_same_bit_for_bit(metric, ema, stop):
    def made():
        return VectorQuantizer(16, 4, metric, ema, kmeans_batches=3, revive_after=2, seed=5)

    whole, part, resumed = made(), made(), made()
    resumed(noise(9, 4, seed=70))  # what it knew before must not matter
    for step in range(12):
        whole(noise(20, 4, seed=step))
        if step < stop:
            part(noise(20, 4, seed=step))
    resumed.load_state_dict(copy.deepcopy(part.state_dict()))
    for step in range(stop, 12):
        resumed(noise(20, 4, seed=step))
    assert same(state_of(whole), state_of(resumed))


def test_same_seed_same_codes_and_the_global_random_state_is_left_alone():
    def codes(seed):
        quantizer = VectorQuantizer(16, 4, kmeans_batches=2, revive_after=2, seed=seed)
        for step in range(8):
            quantizer(noise(40, 4, seed=step))
        return quantizer.codebook

    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert torch.equal(codes(1), codes(1))
    assert not torch.equal(codes(1), codes(2))
    assert torch.equal(torch.get_rng_state(), before)


@BOTH
def test_gradient_steps_bring_codes_to_vectors(ema):
    """Both ways of learning lower the same error."""
    quantizer = VectorQuantizer(16, 16, ema=ema, kmeans_batches=0)
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1)), *quantizer.parameters()], lr=5.0)
    errors = []
    for step in range(60):
        z = planted(256, seed=step)[0]
        quantized, _, loss = quantizer(z)
        errors.append(float((z - quantized).square().mean().detach()))
        optimiser.zero_grad()
        if ema is None:
            loss.backward()
        optimiser.step()
    assert errors[-1] < 0.5 * errors[0]


# Masks, precision, compilation


@ALL
@BOTH
def test_padding_does_not_count(metric, ema):
    mask = torch.rand(6, 10, generator=torch.Generator().manual_seed(0)) < 0.7
    one = VectorQuantizer(8, 4, metric, ema, kmeans_batches=2)
    two = copy.deepcopy(one)
    for step in range(5):
        z = noise(6, 10, 4, seed=step)
        spoilt = z.masked_fill(~mask[..., None], float("nan") if step < 2 else 1e3)
        _, short, expected = one(z[mask])
        _, indices, loss = two(spoilt, mask)
        assert torch.equal(indices[mask], short)
        torch.testing.assert_close(loss, expected)
    assert same(state_of(one), state_of(two))


def test_half_precision_chooses_the_same_codes():
    quantizer = VectorQuantizer(64, 8).eval()
    z = noise(200, 8).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        quantized, indices, loss = quantizer(z)
    assert torch.equal(indices, quantizer(z.float())[1])
    assert quantized.dtype == torch.bfloat16
    assert loss.dtype == quantizer.store.weight.dtype == torch.float32


def test_compilation_changes_nothing():
    one = VectorQuantizer(8, 4, kmeans_batches=2, revive_after=2)
    two = copy.deepcopy(one)
    compiled = torch.compile(two, backend="eager")
    for step in range(6):
        z = noise(10, 4, seed=step)
        for left, right in zip(one(z), compiled(z), strict=True):
            assert torch.equal(left, right)
    assert same(state_of(one), state_of(two))


# Several processes

RANK = """
import sys, torch
from torch import distributed
from neurokit.models.nn import VectorQuantizer
place, rank = sys.argv[1], int(sys.argv[2])
distributed.init_process_group("gloo", init_method=f"file://{place}/meet", rank=rank, world_size=2)
states = {}
for metric in ("euclidean", "cosine"):
    for ema in (0.9, None):
        for revive_after in (2, None):
            quantizer = VectorQuantizer(
                16, 4, metric, ema, kmeans_batches=2, revive_after=revive_after
            )
            for step in range(8):
                z = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
                quantizer(z[:10] if rank == 0 else z[10:])
            state = quantizer.state_dict()
            states |= {f"{metric} {ema} {revive_after} {k}": v for k, v in state.items()}
torch.save(states, f"{place}/{rank}.pt")
distributed.destroy_process_group()
"""


def test_two_processes_keep_one_codebook_that_of_a_single_process(tmp_path):
    ranks = [
        subprocess.Popen([sys.executable, "-c", RANK, str(tmp_path), str(rank)]) for rank in (0, 1)
    ]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    one, two = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert same(one, two)
    for metric in ("euclidean", "cosine"):
        for ema in (0.9, None):
            alone = VectorQuantizer(16, 4, metric, ema, kmeans_batches=2, revive_after=None)
            for step in range(8):
                alone(noise(16, 4, seed=step))
            for name, value in alone.state_dict().items():
                torch.testing.assert_close(one[f"{metric} {ema} None {name}"], value)


# K-means


@pytest.mark.parametrize("seed", range(5))
def test_kmeans_finds_planted_centres(seed):
    x, _ = planted(800, seed=seed)
    centres = cluster_centres(x, 16, seed=seed)
    assert torch.cdist(4 * torch.eye(16), centres).amin(dim=1).max() < 0.3


def test_kmeans_is_as_good_as_scikit_learns():
    cluster = pytest.importorskip("sklearn.cluster")
    x = noise(1000, 6)
    theirs = cluster.KMeans(20, n_init=1, random_state=0).fit(x.numpy()).inertia_
    centres = cluster_centres(x, 20, n_iter=50)
    assert float(torch.cdist(x, centres).amin(dim=1).square().sum()) < 1.03 * theirs


def test_directions_are_clustered_whatever_their_length():
    x, _ = planted(800)
    scale = torch.rand(800, 1, generator=torch.Generator().manual_seed(0)) + 0.1
    centres = cluster_centres(x * scale, 16, cosine=True)
    torch.testing.assert_close(centres.norm(dim=1), torch.ones(16))
    assert (centres @ torch.eye(16)).amax(dim=1).min() > 0.98


# Refusals


def test_perplexity_is_the_exponential_of_the_entropy():
    counts = torch.tensor([1, 2, 5, 0])
    share = counts[:3] / 8
    expected = torch.exp(-(share * share.log()).sum())
    torch.testing.assert_close(perplexity(counts), expected)


def test_usage_is_a_histogram():
    quantizer = VectorQuantizer(8, 4, kmeans_batches=1)
    assert quantizer.usage.sum() == 0
    quantizer(noise(100, 4))
    torch.testing.assert_close(quantizer.usage.sum(), torch.ones(()))
    held_out = quantizer.statistics(torch.tensor([1, 1, 2]))
    assert held_out["used_codes"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_codes": 0}, "n_codes is 0"),
        ({"dim": 2.5}, "dim is 2.5"),
        ({"metric": "dot"}, "metric is 'dot'"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"commitment": -1}, "commitment is -1"),
        ({"revive_after": 0}, "revive_after is 0"),
        ({"kmeans_batches": -1}, "kmeans_batches is -1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        VectorQuantizer(**{"n_codes": 8, "dim": 4, **options})


def test_vectors_that_do_not_fit_are_refused():
    quantizer = VectorQuantizer(8, 4)
    with pytest.raises(DataError, match=r"vectors \(..., 4\).*shape \(2, 5\)"):
        quantizer(noise(2, 5))
    with pytest.raises(DataError, match=r"mask of bool, shape \(2,\).*shape \(4,\)"):
        quantizer(noise(2, 4), torch.ones(4).bool())
    with pytest.raises(DataError, match="8 codes, 0 to 7; got 0 to 8"):
        quantizer.lookup(torch.tensor([0, 8]))
    with pytest.raises(DataError, match=r"int64; got torch.float32"):
        quantizer.lookup(torch.zeros(2))
    with pytest.raises(DataError, match=r"\(n, dim\) to cluster; got shape \(0, 4\)"):
        cluster_centres(torch.zeros(0, 4), 2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("ema", [0.9, None])
def test_it_learns_in_another_precision(dtype, ema):
    quantizer = VectorQuantizer(4, 3, ema=ema, kmeans_batches=2, revive_after=1).to(dtype)
    z = torch.eye(4, 3, dtype=dtype).repeat(5, 1)
    for _ in range(5):
        quantized, _, loss = quantizer(z)
    assert quantized.dtype == dtype
    assert quantizer.codebook.dtype == torch.float32
    torch.testing.assert_close(quantized, z, rtol=0, atol=0.01)
    assert float(loss.detach()) < 1e-3


def test_a_codebook_that_training_did_not_start_says_so():
    quantizer, z = VectorQuantizer(4, 3, kmeans_batches=3), torch.eye(4, 3)
    assert quantizer.shortfall is None  # not trained at all, on purpose
    for n in (1, 2):
        quantizer(z)
        assert f"kmeans_batches=3 training batches, and there were {n}." in quantizer.shortfall
    quantizer(z)
    assert quantizer.shortfall is None
    assert VectorQuantizer(4, 3, kmeans_batches=0).shortfall is None
