"""Banded ridge regression: himalaya's random search and ours, in one process and one thread.

Both try the same weightings of three bands, the last of them noise, and the same ten penalties.
himalaya compares them by five folds; ours by generalised cross-validation and, to tell the rule
from the speed, by the same five folds. Float32, CPU time, held-out R2 of 300 further samples.

Run: python benchmarks/banded.py [weightings]   (7 or more; 20 take half an hour)
"""

import os
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import torch
from himalaya.backend import set_backend
from himalaya.kernel_ridge import solve_multiple_kernel_ridge_random_search
from himalaya.ridge import solve_group_ridge_random_search

from neurokit.alignment import banded, bands, splits

ALPHAS = np.logspace(0, 5, 10).astype(np.float32)
SIZES = ((1000, 768, 10_000), (3000, 768, 2000), (1000, 3072, 5000), (2000, 4096, 2000))
FOLDS, HELD_OUT = 5, 300


def simulate(n, p, v):
    """Two bands of signal, a third of noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n + HELD_OUT, p), dtype=np.float32)
    columns = np.array_split(np.arange(p), 3)
    weights = rng.standard_normal((p, v), dtype=np.float32) / np.sqrt(p)
    weights[columns[2]] = 0
    y = x @ weights + rng.standard_normal((n + HELD_OUT, v), dtype=np.float32)
    x -= x[:n].mean(axis=0)
    y -= y[:n].mean(axis=0)
    return x, y, columns


def cpu(function, *args):
    start = time.process_time()
    return function(*args), time.process_time() - start


def himalaya(x, y, columns, gammas):
    """Return the function of x that predicts, from the faster of himalaya's two solvers."""
    settings = {"n_iter": gammas, "alphas": ALPHAS, "cv": FOLDS, "progress_bar": False}
    if x.shape[1] < x.shape[0]:
        weights = solve_group_ridge_random_search(
            [x[:, at] for at in columns], y, return_weights=True, **settings
        )[1]
        order = np.concatenate(columns)
        return lambda new: new[:, order] @ np.asarray(weights)
    kernels = np.stack([x[:, at] @ x[:, at].T for at in columns])
    deltas, weights, _ = solve_multiple_kernel_ridge_random_search(
        kernels, y, return_weights="dual", **settings
    )
    scale, dual = np.exp(np.asarray(deltas)), np.asarray(weights)

    def predict(new):
        across = [new[:, at] @ x[:, at].T @ dual for at in columns]
        return sum(part * s for part, s in zip(across, scale, strict=True))

    return predict


def ours(x, y, columns, gammas, selection):
    named = {str(k): at for k, at in enumerate(columns)}
    folds = splits.contiguous(len(x), FOLDS)
    problem = banded.prepare(x, named, gammas, ALPHAS, selection, folds)
    return banded.solve(problem, y).predict


def main():
    torch.set_num_threads(1)
    set_backend("torch")
    n_weightings = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    gammas = bands.candidates(3, n_weightings, seed=0).astype(np.float32)
    print(f"{len(gammas)} weightings of 3 bands, {len(ALPHAS)} penalties; CPU s and held-out R2.")
    print(f"{'n, p, v':<20}{'himalaya':>10}{'R2':>8}{'ours, gcv':>11}{'R2':>8}{'':>8}"
          f"{'ours, kfold':>13}{'R2':>8}")  # fmt: skip
    for n, p, v in SIZES:
        x, y, columns = simulate(n, p, v)
        train = x[:n], y[:n], columns, gammas
        theirs, t_theirs = cpu(himalaya, *train)
        line = f"{f'{n}, {p}, {v}':<20}{t_theirs:>10.1f}{score(theirs, x, y, n):>8.4f}"
        for selection in ("gcv", "kfold"):
            mine, t = cpu(ours, *train, selection)
            line += f"{t:>11.1f}{score(mine, x, y, n):>8.4f}{t_theirs / t:>7.1f}x"
        print(line, flush=True)


def score(predict, x, y, n):
    """Return the R2 over all held-out samples and targets; training means are zero."""
    error = y[n:] - np.asarray(predict(x[n:]))
    return 1 - float((error**2).sum() / (y[n:] ** 2).sum())


if __name__ == "__main__":
    main()
