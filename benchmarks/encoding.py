"""Ridge regression for many targets: himalaya, scikit-learn and ours, side by side in one process.

Run: OMP_NUM_THREADS=1 python benchmarks/encoding.py [--sizes 0 1 2] [--skip-sklearn]
     [--memory] [--selection-effect] [--cuda]
All of it takes some 20 CPU minutes and 5 GB, most of them for himalaya and scikit-learn.

What is timed is one fit, coefficients included, with 10 penalties: himalaya's RidgeCV and our
"kfold" and "hybrid" with five contiguous folds, our "gcv", and leave-one-out as scikit-learn and
we do it. All in single precision; CPU time of one thread, best of several runs. The share of the
GEMM rate is that of the matrix products, over the whole time and over the time without
eigendecompositions.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from neurokit.alignment import RidgeCV, encode  # noqa: E402
from neurokit.alignment.devices import Place  # noqa: E402

SIZES = [(1000, 768, 10_000), (3000, 768, 5_000), (3000, 4096, 3_000)]
FOLDS = 5
N_ALPHAS = 10
SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def simulate(n, p, v, seed=0):
    """Make features with a falling spectrum, as activations have, and targets of all signals."""
    rng = np.random.default_rng(seed)
    k = min(n, p)
    x = (rng.standard_normal((n, k)) * np.arange(1, k + 1) ** -0.5) @ rng.standard_normal((k, p))
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    signal = x @ rng.standard_normal((p, v), dtype=np.float32)
    signal *= np.sqrt(rng.uniform(0, 0.5, v).astype(np.float32)) / signal.std(axis=0)
    y = signal + rng.standard_normal((n, v), dtype=np.float32)
    # From a thousandth to a thousand times the mean eigenvalue.
    alphas = np.logspace(-3, 3, N_ALPHAS) * float((x**2).sum()) / k
    return x, y, alphas


def cpu(function, repeats=3):
    """Return the result and the best CPU seconds of several runs."""
    best, result = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        best = min(best, time.process_time() - start)
    return result, best


def count_eigh():
    """Add up CPU seconds of eigendecompositions in the list that is returned."""
    plain, spent = Place.eigh, [0.0]

    def timed(self, gram, dtype):
        start = time.process_time()
        found = plain(self, gram, dtype)
        spent[0] += time.process_time() - start
        return found

    Place.eigh = timed
    return spent


def cpu_and_eigh(function, spent, repeats=3):
    """Return the result and, of the fastest run, CPU seconds in all and in eigendecompositions."""
    best = (np.inf, 0.0)
    for _ in range(repeats):
        spent[0] = 0.0
        result, t = cpu(function, 1)
        best = min(best, (t, spent[0]))
    return result, *best


def gemm_rate():
    """Measure single-precision multiplications and additions per second, at a typical shape."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape, dtype=np.float32) for shape in ((800, 768), (768, 2048)))
    return 2 * 800 * 768 * 2048 / cpu(lambda: a @ b, 10)[1]


def needed(n, p, v, selection):
    """Count operations of matrix products alone, decompositions left out."""
    r = min(n, p)
    gram = n * r * max(n, p)  # half of the products, by symmetry
    fit = gram + 2 * n * r * v + 2 * r * r * v + (2 * n * p * v if p >= n else 0)
    if selection == "gcv":
        return fit + 2 * N_ALPHAS * r * v
    train, test = n - n // FOLDS, n // FOLDS
    tried = 3 if selection == "hybrid" else N_ALPHAS
    if p >= n:
        invert = FOLDS * N_ALPHAS * (test * test * n + 2 * test**3)
        return fit + invert + 2 * tried * n * (n + test) * v
    inner = min(train, p)
    if test + p < train:
        rotate = 2 * test * p * v + 2 * p * p * v + 2 * p * p * v
    else:
        rotate = 2 * inner * train * v
    return fit + FOLDS * (rotate + 2 * tried * test * inner * v + 2 * test * inner * inner)


def with_himalaya(x, y, alphas):
    import himalaya.backend
    import torch
    from himalaya.kernel_ridge import KernelRidgeCV
    from himalaya.ridge import RidgeCV as Himalaya
    from himalaya.scoring import l2_neg_loss
    from sklearn.model_selection import KFold

    torch.set_num_threads(1)
    himalaya.backend.set_backend("torch")
    best = (None, np.inf)
    for batch in (None, 1000):
        params = {"n_targets_batch": batch, "score_func": l2_neg_loss}
        common = {"alphas": alphas.astype(np.float32), "cv": KFold(FOLDS), "fit_intercept": True}
        if x.shape[1] >= len(x):
            # Its own advice for more features than samples, and far faster there.
            model = KernelRidgeCV(**common, solver_params=params)
        else:
            model = Himalaya(**common, solver_params={**params, "warn": False})
        fitted, t = cpu(lambda model=model: model.fit(x, y), 2)
        best = min(best, (fitted, t), key=lambda pair: pair[1])
    return best


def with_sklearn(x, y, alphas):
    from sklearn.linear_model import RidgeCV as Sklearn

    return cpu(lambda: Sklearn(alphas, alpha_per_target=True).fit(x, y), 1)


def compare(size, rate, sklearn, spent):
    n, p, v = size
    x, y, alphas = simulate(*size)
    print(f"\nn = {n}, p = {p}, v = {v}")
    theirs, peer = with_himalaya(x, y, alphas)
    print(f"{'':<26}{'CPU s':>8}{'to himalaya':>13}{'of GEMM rate':>14}{'without eigh':>14}")
    print(f"{'himalaya, 5 folds':<26}{peer:>8.2f}")
    chosen = {}
    for selection in ("kfold", "hybrid", "loo", "gcv"):
        model, t, eigh = cpu_and_eigh(
            lambda s=selection: RidgeCV(alphas, s, FOLDS, device="cpu").fit(x, y), spent
        )
        chosen[selection] = np.searchsorted(alphas, model.best_alphas_ * 0.999)
        least = needed(n, p, v, selection) / rate
        share = "" if selection == "loo" else f"{least / t:>13.0%}{least / (t - eigh):>14.0%}"
        print(f"{'ours, ' + selection:<26}{t:>8.2f}{peer / t:>12.1f}x{share}", flush=True)
    if sklearn:
        model, t = with_sklearn(x, y, alphas)
        same = np.mean(chosen["loo"] == np.searchsorted(alphas, np.asarray(model.alpha_) * 0.999))
        print(f"{'scikit-learn, loo':<26}{t:>8.2f}{peer / t:>12.1f}x; penalties as ours {same:.2%}")
    reference = np.searchsorted(alphas, np.asarray(theirs.best_alphas_) * 0.999)
    print(f"penalties as himalaya's: kfold {np.mean(chosen['kfold'] == reference):.2%}", end="; ")
    near = np.mean(np.abs(chosen["gcv"] - chosen["kfold"]) <= 1)
    print(f"gcv within one step of kfold {near:.2%}", end="; ")
    print(f"hybrid as kfold {np.mean(chosen['hybrid'] == chosen['kfold']):.2%}")
    some = slice(0, 300)
    double = [RidgeCV(alphas, s, FOLDS).fit(x.astype(float), y[:, some].astype(float)).best_alphas_
              for s in ("kfold", "gcv")]  # fmt: skip
    kept = [np.mean(np.searchsorted(alphas, a * 0.999) == chosen[s][some])
            for s, a in zip(("kfold", "gcv"), double, strict=True)]  # fmt: skip
    print(f"single as double precision: kfold {kept[0]:.2%}, gcv {kept[1]:.2%}")


def memory(n=3000, p=4096, v=50_000):
    """Print the peak of a whole ``encode``; run in a process of its own."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((n, k), dtype=np.float32) for k in (p, v))
    start = time.process_time()
    encode(x, y, alphas=np.logspace(2, 5, N_ALPHAS), device="cpu")
    used = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    inputs = (x.nbytes + y.nbytes) / 1e9
    print(f"\nencode, n = {n}, p = {p}, v = {v}, 5 folds, 1,000 permutations and resamples:")
    print(f"{used:.0f} CPU s, peak {peak:.2f} GB; inputs {inputs:.2f}, limit {2 * inputs + 1:.2f}")


def real_data():
    """Yield names, features, responses and groups from the recordings at hand."""
    import pandas as pd

    path = SHARED / "alignment/tuckute2024/bold_response_LH.csv"
    if path.exists():
        from sklearn.feature_extraction.text import HashingVectorizer

        table = pd.read_csv(path)
        count = HashingVectorizer(analyzer="char_wb", ngram_range=(1, 4), n_features=512)
        letters = count.transform(table["sentence"]).toarray()
        length = table["sentence"].str.len().to_numpy()[:, None]
        y = table.filter(like="lang_LH").to_numpy()
        yield "Tuckute sentences from letter n-grams", np.hstack([letters, length]), y, None
    path = SHARED / "fmri/haxby_1slice"
    if path.exists():
        import nibabel

        bold = np.asarray(nibabel.load(path / "bold.nii.gz").dataobj).astype(float)
        series = bold.reshape(-1, bold.shape[-1]).T
        attributes = np.loadtxt(path / "attributes_literal.txt", dtype=str)
        attributes = attributes[attributes[:, 0] != "labels"][: len(series)]
        runs = attributes[:, 1].astype(float)
        for run in np.unique(runs):
            at = runs == run
            trend = np.vander(np.linspace(-1, 1, at.sum()), 3)
            series[at] -= trend @ np.linalg.lstsq(trend, series[at], rcond=None)[0]
        series = series[:, series.std(axis=0) > 0]
        names = [name for name in np.unique(attributes[:, 0]) if name != "rest"]
        shown = (attributes[:, :1] == names).astype(float)
        from neurokit.alignment import delayed

        yield (
            "Haxby voxels from delayed categories",
            delayed(shown, [1, 2, 3, 4], runs),
            series,
            runs,
        )
        half = np.arange(series.shape[1]) % 2 == 0
        yield "Haxby voxels from every other voxel", series[:, half], series[:, ~half], runs


def selection_effect():
    """Print what the selection rule does to held-out correlations on real recordings."""
    print("\nheld-out r on real recordings: mean over targets, and mean |difference to kfold|")
    for name, x, y, groups in real_data():
        r = {}
        for selection in ("kfold", "gcv", "loo", "hybrid"):
            found = encode(x, y, groups, selection=selection, n_permutations=0, n_bootstraps=0)
            r[selection] = found.r.values
        line = ", ".join(
            f"{s} {values.mean():.4f} ({np.abs(values - r['kfold']).mean():.4f})"
            for s, values in r.items()
        )
        print(f"{name} (n = {len(x)}, p = {x.shape[1]}, v = {y.shape[1]}): {line}", flush=True)


def on_cuda(v=100_000):
    """Print the same table on a GPU, in wall time, for more targets."""
    import himalaya.backend
    import torch
    from himalaya.ridge import RidgeCV as Himalaya

    if not torch.cuda.is_available():
        print("\nno CUDA device here")
        return

    def wall(function, repeats=3):
        best = np.inf
        for _ in range(repeats):
            torch.cuda.synchronize()
            start = time.perf_counter()
            function()
            torch.cuda.synchronize()
            best = min(best, time.perf_counter() - start)
        return best

    himalaya.backend.set_backend("torch_cuda")
    for n, p, _ in SIZES:
        x, y, alphas = simulate(n, p, v)
        params = {"warn": False, "n_targets_batch": 10_000, "Y_in_cpu": True}
        peer = wall(lambda: Himalaya(alphas=alphas, cv=FOLDS, solver_params=params).fit(x, y))  # noqa: B023
        print(f"\nCUDA, n = {n}, p = {p}, v = {v}: himalaya {peer:.2f} s (wall)", end="")
        for selection in ("kfold", "gcv"):
            t = wall(lambda s=selection: RidgeCV(alphas, s, FOLDS, device="cuda").fit(x, y))  # noqa: B023
            print(f"; ours, {selection} {t:.2f} s, {peer / t:.1f}x", end="", flush=True)
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--skip-sklearn", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--selection-effect", action="store_true")
    parser.add_argument("--cuda", action="store_true")
    parser.add_argument("--memory-child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.memory_child:
        memory()
        return
    rate, spent = gemm_rate(), count_eigh()
    print(f"GEMM rate, single precision, one thread: {rate / 1e9:.0f} GFLOP/s")
    for k in args.sizes:
        compare(SIZES[k], rate, not args.skip_sklearn, spent)
    if args.selection_effect:
        selection_effect()
    if args.memory:
        subprocess.run([sys.executable, __file__, "--memory-child"], check=True)
    if args.cuda:
        on_cuda()


if __name__ == "__main__":
    main()
