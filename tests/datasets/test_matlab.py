"""MATLAB files that SciPy reads are passed; those that could end the process are not."""

import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from neurokit.datasets.matlab import check_matlab
from neurokit.errors import ReadError

CONTENT = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "cells": np.array(["ab", "cde"], dtype=object),
    "nested": {"a": 1, "b": "text", "c": {"d": [1, 2], "e": []}},
    "sparse": scipy.sparse.csc_array(np.eye(4)),
    "complex": np.array([1 + 2j]),
    "empty": np.zeros((0, 3)),
    "text": "Zürich",
    "small": np.int8([1, 2, 3]),
    "flags": np.array([True, False]),
}


@pytest.fixture(params=[False, True], ids=["plain", "compressed"])
def path(request, tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", CONTENT, do_compression=request.param)
    return tmp_path / "a.mat"


def test_what_scipy_writes_passes(path):
    check_matlab(path)


def test_what_scipy_is_tested_with_passes():
    folder = Path(scipy.io.__file__).parent / "matlab" / "tests" / "data"
    files = [f for f in folder.glob("*.mat") if f.read_bytes()[:10] == b"MATLAB 5.0"]
    if not files:
        pytest.skip("SciPy came without its test data")
    damaged = ("corrupt", "malformed", "bad_", "broken")
    for file in files:
        if not file.name.startswith(damaged):
            check_matlab(file)


def test_truncation_is_found_wherever_it_falls(path):
    whole = path.read_bytes()
    cuts = np.random.default_rng(0).integers(1, len(whole) - 8, 50)
    passed = 0
    for at in cuts:
        path.write_bytes(whole[:at])
        try:
            check_matlab(path)
        except ReadError:
            continue
        # Cut between two variables, the file is whole though shorter.
        passed += 1
        assert len(scipy.io.whosmat(path)) < len(CONTENT)
    assert passed < 5


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(kind, dims, *parts):
    body = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack("<2i", *dims))
    return element(14, body + element(1, b"x") + b"".join(parts))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            struct.pack("<II", 14, 2**31) + bytes(64),
            "element of 2147483648 bytes where 64 are left",
        ),
        (matrix(6, (2, 2), element(9, bytes(8))), "1 values in a matrix of 4"),
        (
            matrix(6, (2**30, 2**30), element(9, bytes(8))),
            "1 values in a matrix of 1152921504606846976",
        ),
        (matrix(6, (-1, 2), element(9, b"")), r"matrix of shape \[-1, 2\]"),
        (matrix(1, (10**6, 10**3)), "1000000000 members in 0 bytes"),
        (matrix(2, (1, 1), element(5, struct.pack("<i", 0)), element(1, b"")), "field names"),
        (
            matrix(
                5,
                (2, 2),
                element(5, struct.pack("<i", 9)),
                element(5, struct.pack("<3i", 0, 0, 1)),
                element(9, bytes(8)),
            ),
            "sparse matrix whose indices",
        ),
        (matrix(99, (1, 1)), "unknown class 99"),
        (element(9, bytes(8)), "type 9 where a matrix is due"),
        (element(15, b"not deflated"), "decompressing"),
    ],
)
def test_lies_are_found(tmp_path, content, message):
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    (tmp_path / "a.mat").write_bytes(header + content)
    with pytest.raises(ReadError, match=message):
        check_matlab(tmp_path / "a.mat")


def test_endless_nesting_is_refused(tmp_path):
    inner = matrix(6, (1, 1), element(9, bytes(8)))
    for _ in range(60):
        inner = matrix(1, (1, 1), inner)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    (tmp_path / "a.mat").write_bytes(header + inner)
    with pytest.raises(ReadError, match="at depth 51"):
        check_matlab(tmp_path / "a.mat")
