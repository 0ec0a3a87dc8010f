"""The command: what it prints, where it writes, how it fails."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

import neurokit as nk
from neurokit.cli.app import app
from neurokit.errors import ReadError

runner = CliRunner()
COMMANDS = [
    [], ["demo"], ["run"], ["report"], ["doctor"], ["data"],
    ["data", "list"], ["data", "info"], ["data", "fetch"], ["data", "convert"],
    ["align"], ["leaderboard"], ["pretrain"], ["finetune"],
]  # fmt: skip


def call(*args, code=0):
    result = runner.invoke(app, list(map(str, args)))
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def shell(*args, cwd=None):
    """Run the command as a user does, so that errors take their whole way."""
    code = "import sys; from neurokit.cli import main; sys.argv[0] = 'neurokit'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    assert "Example: neurokit" in call(*command, "--help")


def test_every_command_is_tested_for_help():
    top = {c.name or c.callback.__name__ for c in app.registered_commands}
    assert top | {"data"} == {c[0] for c in COMMANDS if c}


def test_a_warning_is_one_line_without_code(tmp_path, monkeypatch):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "bad.toml").write_text("name = 1")
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path))
    told = shell("data", "list", "--modality", "spikes").stderr.splitlines()
    assert len(told) == 1
    assert re.match(r"Warning: Left out of the list: .*bad\.toml: field", told[0])


def test_version():
    assert call("--version").strip() == f"neurokit {nk.__version__}"


def test_list_filters_by_modality():
    everything, spikes = call("data", "list"), call("data", "list", "--modality", "spikes")
    assert "haxby-slice" in everything
    assert "a2929" in spikes
    assert "haxby-slice" not in spikes


def test_info_names_licence_and_citation():
    said = call("data", "info", "haxby-slice")
    assert "CC" in said
    assert "Haxby" in said


def test_fetch_of_an_embedded_recording_says_where_it_is():
    assert Path(call("data", "fetch", "a2929").removeprefix("Here: ").strip()).exists()


def test_convert_reads_saves_and_prints_the_python(tmp_path):
    source = tmp_path / "spikes.npz"
    np.savez(source, times=[0.5, 1.0], units=[0, 1])
    out = call("data", "convert", source, tmp_path / "s.zarr")
    assert nk.Recording.open(tmp_path / "s.zarr")["spikes"].sizes["spike"] == 2
    assert f"nk.datasets.read({str(source)!r}).save(" in out


def test_convert_passes_keywords(tmp_path):
    table = tmp_path / "sub-01_timeseries.tsv"
    pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=list("abc")).to_csv(
        table, sep="\t", index=False
    )
    call("data", "convert", table, tmp_path / "s.zarr", "-k", "repetition_time=2.5")
    rec = nk.Recording.open(tmp_path / "s.zarr")
    assert rec["bold"].attrs["sampling_rate"] == pytest.approx(0.4)


def test_convert_refuses_a_malformed_keyword(tmp_path):
    out = call("data", "convert", tmp_path, tmp_path / "s.zarr", "-k", "oops", code=2)
    assert "expected NAME=VALUE" in out


def test_run_writes_a_report(tmp_path):
    out = call("run", "grip-force", "--output", tmp_path / "r.html")
    assert re.search(r"1 questions? answered in \d+ s", out)
    assert "grip" in (tmp_path / "r.html").read_text(encoding="utf-8").lower()


def test_a_result_outside_its_band_fails(tmp_path, monkeypatch):
    from neurokit.demo import grip_force

    true_run = grip_force.run

    def run(rec, seed=0):
        answer = true_run(rec, seed)
        object.__setattr__(answer, "band", (2.0, 3.0))
        return answer

    monkeypatch.setattr(grip_force, "run", run)
    out = call("run", "grip-force", "--output", tmp_path / "r.html", code=1)
    assert "Outside its band" in out
    assert (tmp_path / "r.html").exists()


def test_report_of_saved_scores(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3))
    result = nk.alignment.encode(x, x @ rng.standard_normal((3, 4)) + rng.standard_normal((200, 4)),
                                 n_permutations=50)  # fmt: skip
    result.to_netcdf(tmp_path / "scores.nc", engine="h5netcdf")
    call("report", tmp_path / "scores.nc", "-o", tmp_path / "r.html")
    assert "scores" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_report_of_something_else(tmp_path):
    from neurokit.cli.results import open_results

    xr.Dataset({"a": ("b", [1.0])}).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with pytest.raises(ReadError, match="holds a over b; expected a score r over target"):
        open_results([tmp_path / "x.nc"])
    with pytest.raises(ReadError, match="There is no file"):
        open_results([tmp_path / "y.nc"])


def test_doctor_finds_this_installation_in_order():
    out = call("doctor")
    assert "PROBLEM" not in out
    assert "5 embedded, all read" in out


def test_doctor_reports_a_broken_part_and_goes_on(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path / "nowhere"))
    out = call("doctor", code=1)
    assert re.search(r"PROBLEM\s+catalogue", out)
    assert re.search(r"ok\s+packages", out)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("data", "info", "haxbyslice"), "Did you mean 'haxby-slice'?"),
        (("run", "grip-farce"), "Did you mean 'grip-force'?"),
        (("data", "convert", "missing.edf", "x.zarr"), "There is no file missing.edf"),
    ],
)
def test_bad_input_is_one_line_and_fails(args, message, tmp_path):
    done = shell(*args, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
