"""What every answer must bring, whatever the question."""

import math

import pytest
from matplotlib.figure import Figure

from neurokit.demo import QUESTIONS, ask
from neurokit.errors import UnknownNameError

NAMES = list(QUESTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_score_is_inside_its_recorded_band(answer, name):
    got = answer(name)
    assert got.in_band, f"{got.value} is outside {got.band}"
    assert got.interval[0] <= got.value <= got.interval[1]


@pytest.mark.parametrize("name", NAMES)
def test_answer_beats_chance_and_the_sceptic(answer, name):
    got = answer(name)
    sign = -1 if "less is better" in got.measure else 1
    assert sign * got.value > sign * got.chance
    assert sign * got.value > sign * got.baseline[1]
    assert sign * min(got.interval, key=lambda end: sign * end) > sign * got.chance
    assert got.p_value < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_numbers(answer, recording, name):
    import importlib

    again = importlib.import_module(f"neurokit.demo.{name}").run(recording(name), seed=0)
    first = answer(name)
    assert (again.value, again.interval, again.p_value) == (
        first.value,
        first.interval,
        first.p_value,
    )
    assert dict(again.details) == dict(first.details)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_leaves_the_score_in_its_band(answer, name):
    got = answer(name, seed=3)
    assert got.seed == 3
    assert got.in_band
    assert got.p_value < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_answer_is_complete(answer, name):
    got = answer(name)
    assert got.data == QUESTIONS[name]
    assert got.question.endswith("?")
    assert got.n_samples > 0
    assert got.citations
    assert all(len(c) > 30 for c in got.citations)
    for text in (got.measure, got.interval_of, got.ceiling_note, got.split, got.caveat, got.method):
        assert len(text) > 10
    assert all(math.isfinite(v) for v in got.details.values())
    assert f'nk.datasets.load("{got.data}")' in got.code
    compile(got.code, name, "exec")
    assert set(got.row()) >= {"question", "value", "interval", "chance", "baseline", "ceiling"}


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_on_a_given_axes(answer, name):
    got = answer(name)
    assert len(got.figures) >= 2
    for title, draw in got.figures.items():
        ax = Figure().add_subplot()
        draw(ax)
        assert ax.has_data() or ax.images, title


def test_unknown_question_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'grip_force'"):
        ask("grip_forse")


def test_ask_uses_the_recording_given(recording):
    assert ask("grip_force", recording("grip_force")).value == pytest.approx(0.622, abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_recording_of_the_catalogue_gives_the_same_answer(answer, name):
    got, oracle = ask(name), answer(name)
    assert got.value == pytest.approx(oracle.value, abs=1e-6)
    assert got.n_samples == oracle.n_samples
    assert got.interval == pytest.approx(oracle.interval, abs=1e-6)
