from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from neurokit.alignment import RidgeCV, devices, encode, ridge
from neurokit.alignment.devices import Place, host, place_for
from neurokit.errors import DataError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:Penalty grid edge")


def simulate(n, p, v=20):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, p))
    return x, x @ rng.standard_normal((p, v)) + 3 * rng.standard_normal((n, v)) + 5


@pytest.fixture
def torch_place(monkeypatch):
    """Compute with PyTorch, as on an accelerator, on its CPU device."""

    def place(device, *arrays):
        kind = {str(np.asarray(array).dtype) for array in arrays}
        return Place("cpu:0", "float32" if kind == {"float32"} else "float64")

    monkeypatch.setattr(ridge, "place_for", place)


@pytest.mark.parametrize("selection", ["gcv", "loo", "kfold", "hybrid"])
@pytest.mark.parametrize(("n", "p"), [(90, 20), (60, 45), (40, 90)])
def test_pytorch_gives_the_numbers_of_numpy(n, p, selection, torch_place):
    x, y = simulate(n, p)
    ours = RidgeCV(selection=selection).fit(x, y)
    problem = ridge.prepare(x, selection=selection, folds=RidgeCV(selection=selection)._folds(n))
    assert not problem.spectrum.place.numpy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ridge, "place_for", place_for)
        plain = RidgeCV(selection=selection, device="cpu").fit(x, y)
    np.testing.assert_allclose(ours.best_alphas_, plain.best_alphas_, rtol=1e-9)
    np.testing.assert_allclose(ours.coef_, plain.coef_, atol=1e-8)
    assert isinstance(ours.coef_, np.ndarray)


def test_analyses_run_on_pytorch_in_both_precisions(torch_place):
    x, y = simulate(100, 30)
    counts = {"n_permutations": 20, "n_bootstraps": 20}
    for kind in ("f8", "f4"):
        there = encode(x.astype(kind), y.astype(kind), selection="kfold", **counts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ridge, "place_for", place_for)
            here = encode(x.astype(kind), y.astype(kind), selection="kfold", device="cpu", **counts)
        np.testing.assert_allclose(there.r, here.r, atol=1e-9 if kind == "f8" else 1e-4)
        np.testing.assert_allclose(there.alpha, here.alpha, rtol=1e-4)


def test_precision_follows_the_inputs():
    single, double = np.zeros(2, dtype=np.float32), np.zeros(2)
    assert place_for("cpu", single, single).dtype == "float32"
    assert place_for("cpu", single, double).dtype == "float64"
    assert place_for("cpu").dtype == "float64"
    x, y = simulate(50, 5)
    assert RidgeCV().fit(x.astype("f4"), y.astype("f4")).coef_.dtype == np.float32
    assert RidgeCV().fit(x.astype("f4"), y).coef_.dtype == np.float64


def test_auto_takes_the_best_device_that_has_the_precision(monkeypatch):
    monkeypatch.setattr(devices, "may_have_accelerator", lambda: True)
    monkeypatch.setattr(devices, "accelerators", lambda: ["mps"])
    single = np.zeros(1, dtype=np.float32)
    assert place_for("auto", single) == Place("mps", "float32")
    assert place_for("auto", np.zeros(1)) == Place("cpu", "float64")
    assert Place("mps", "float32").wide == "float32"
    with pytest.raises(DataError, match="double precision, which device='mps' does not have"):
        place_for("mps", np.zeros(1))
    monkeypatch.setattr(devices, "accelerators", lambda: ["cuda", "mps"])
    assert place_for("auto", np.zeros(1)) == Place("cuda", "float64")
    assert place_for("cuda:1", single).device == "cuda:1"
    monkeypatch.setattr(devices, "accelerators", list)
    with pytest.raises(DataError, match="device='cuda' is not available here"):
        place_for("cuda", single)
    with pytest.raises(UnknownNameError, match="'gpu'.*'cuda'"):
        place_for("gpu", single)


def test_apples_eigenvectors_come_from_the_host():
    place = Place("cpu:0", "float32")
    gram = place.put(np.diag([2.0, 1.0]))
    values, vectors = place.eigh(gram, "float32")
    np.testing.assert_allclose(values, [1, 2])
    assert values.dtype == np.float64
    np.testing.assert_allclose(np.abs(host(vectors)), [[0, 1], [1, 0]])


def test_without_an_accelerator_nothing_imports_pytorch():
    code = (
        "import sys, numpy as np; from neurokit import devices; "
        "from neurokit.alignment import encode; "
        "devices.DRIVERS = (); devices.sys.platform = 'linux'; r = np.random.default_rng(0);"
        "encode(r.random((30, 2)), r.random((30, 2)), alphas=[1.0], device='auto');"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
