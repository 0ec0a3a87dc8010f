"""Warnings name the line outside the package that led to them."""

import linecache
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.warning import warn


def lines(caught) -> list[str]:
    assert all(one.filename == __file__ for one in caught)
    return [linecache.getline(one.filename, one.lineno).strip() for one in caught]


def test_from_deep_inside_the_package():
    times = np.sort(np.random.default_rng(0).uniform(0, 9, 300))
    recs = [nk.Recording.from_spikes(times, np.resize(ids, 300)) for ids in ([0, 1, 2], [1, 2, 3])]
    with pytest.warns(UserWarning, match=r"no meta\['session'\]") as caught:
        nk.windows.spike_windows(recs, length=0.05, history=0.15)
    assert lines(caught) == ["nk.windows.spike_windows(recs, length=0.05, history=0.15)"]


def test_through_wrappers_of_other_libraries():
    """A decorator of torch between two functions of the package is not the user's line."""
    inside = {"torch": torch, "warn": warn}
    source = "@torch.no_grad()\ndef inner():\n    warn('odd')\ndef outer():\n    inner()\n"
    exec(compile(source, str(Path(nk.__file__).parent / "one.py"), "exec"), inside)
    with pytest.warns(UserWarning, match="odd") as caught:
        inside["outer"]()
    assert lines(caught) == ['inside["outer"]()']


def test_each_line_of_the_user_is_told_once():
    code = """
import neurokit as nk
from neurokit.warning import warn
for _ in range(3):
    warn("odd")
warn("odd")
"""
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr
    assert told.count("UserWarning: odd") == 2


def test_as_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="odd"):
            warn("odd")
