"""The real sets have the facts that are known of them."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from neurokit.datasets import fetch, read_assembly
from neurokit.errors import ReadError


def test_tuckute2024(shared):
    made = read_assembly("tuckute2024", shared / "tuckute2024")
    assert made.responses.shape == (1000, 6)
    assert made.stimuli.loc["B.1", "text"] == "Taste that fowl and those fish."
    ceiling = dict(zip(made.responses["region"].values, made.ceiling.values, strict=True))
    assert round(ceiling["netw"], 2) == 0.51
    assert (round(ceiling["AntTemp"], 2), round(ceiling["IFG"], 2)) == (0.46, 0.45)
    assert np.isnan(ceiling["MFG"])
    network = made.sel(region="netw").responses.values.ravel()
    regions = made.sel(region=["AntTemp", "IFG", "IFGorb", "MFG", "PostTemp"]).responses
    assert np.corrcoef(network, regions.mean("neuroid"))[0, 1] > 0.97


def test_natural_stories(shared):
    made = read_assembly("natural-stories", shared / "naturalstories")
    assert (len(made.words), made.words["story"].nunique()) == (10256, 10)
    assert made.responses.shape == (10256, 1)
    assert made.meta["story_text"]["1"].startswith("If you were to journey to the North of England")
    assert made.words["word"].str.fullmatch("null|NA|nan").sum() == 0
    assert made.meta["alignment"] == "released"
    assert slope(made, "surprisal") == pytest.approx(0.308, abs=0.005)
    moved = read_assembly("natural-stories", shared / "naturalstories", alignment="realigned")
    assert moved.responses.shape == (10246, 1)
    assert str(moved.responses["stimulus_id"].values[0]) == "1.2"
    # A word's own time follows it more than its neighbour's.
    for nuisance in ("surprisal", "length"):
        assert slope(made, nuisance) > slope(moved, nuisance) + 0.05
    assert slope(made, "log2freq") < slope(moved, "log2freq") - 0.05


def test_natural_stories_of_a_misaligned_release(shared, tmp_path):
    table = pd.read_csv(
        shared / "naturalstories" / "ns_words_rt_surprisal.csv", keep_default_na=False
    )
    early = table.assign(meanItemRT=table.groupby("item")["meanItemRT"].shift(-1))
    early.to_csv(tmp_path / "ns_words_rt_surprisal.csv", index=False)
    with pytest.warns(UserWarning, match="stand one word early .* and were moved"):
        made = read_assembly("natural-stories", tmp_path)
    whole = read_assembly("natural-stories", shared / "naturalstories")
    both = whole.responses["stimulus_id"].isin(made.responses["stimulus_id"]).values
    np.testing.assert_allclose(made.responses.values, whole.responses.values[both], rtol=1e-6)


def slope(made, nuisance):
    known = made.stimuli.loc[made.responses["stimulus_id"].values, nuisance]
    return np.corrcoef(known, made.responses.values.ravel())[0, 1]


def test_natural_stories_as_released(shared, tmp_path):
    for name in ("all_stories.tok", "processed_wordinfo.tsv"):
        (tmp_path / name).write_bytes((shared / "naturalstories" / name).read_bytes())
    joined = read_assembly("natural-stories", shared / "naturalstories")
    made = read_assembly("natural-stories", tmp_path)
    assert made.words["word"].tolist() == joined.words["word"].tolist()
    np.testing.assert_allclose(made.responses.values, joined.responses.values, rtol=1e-4)
    (tmp_path / "all_stories.tok").unlink()
    with pytest.raises(ReadError, match="expected ns_words_rt_surprisal.csv, or processed_word"):
        read_assembly("natural-stories", tmp_path)


def test_kriegeskorte92(shared):
    packed = read_assembly("kriegeskorte92", shared / "kriegeskorte92")
    assert packed.rdms.shape == (4, 92, 92)
    assert packed.images(["image_03"]).shape == (1, 175, 175, 3)
    assert packed.stimuli["category"].nunique() == 6
    both = read_assembly(
        "kriegeskorte92", shared / "kriegeskorte92" / "92_brainRDMs.mat", sessions="separate"
    )
    assert both.rdms["subject"].values[:3].tolist() == [
        "BE session 1", "BE session 2", "KO session 1",
    ]  # fmt: skip
    mean = both.rdms.values.reshape(4, 2, 92, 92).mean(axis=1)
    np.testing.assert_allclose(packed.rdms.values, mean, atol=1e-6)
    with pytest.raises(ReadError, match="They are in the npz"):
        read_assembly("kriegeskorte92", shared / "kriegeskorte92" / "92_brainRDMs.mat",
                      region="monkey IT")  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_kriegeskorte92_has_the_known_ceiling(shared):
    rsatoolbox = pytest.importorskip("rsatoolbox")
    made = read_assembly("kriegeskorte92", shared / "kriegeskorte92")
    upper = np.triu_indices(92, 1)
    pairs = made.rdms.values[:, *upper].astype(np.float64)
    low, high = rsatoolbox.inference.boot_noise_ceiling(
        rsatoolbox.rdm.RDMs(pairs), method="spearman"
    )
    assert (round(low, 4), round(high, 4)) == (0.3723, 0.6657)
    monkey = read_assembly("kriegeskorte92", shared / "kriegeskorte92", region="monkey IT")
    against = monkey.rdms.values[0][upper]
    between = scipy.stats.spearmanr(pairs.mean(axis=0), against).statistic
    assert round(float(between), 3) == 0.439


def test_localizer(shared):
    made = read_assembly("fedorenko2010-localizer", shared / "fedorenko2010_langloc")
    assert made.stimuli["category"].value_counts().to_dict() == {"sentence": 240, "nonwords": 240}
    assert (made.stimuli["text"].str.split().str.len() == 12).all()
    assert made.stimuli["run"].nunique() == 2
    assert made.stimuli["set"].nunique() == 5
    assert made.stimuli.loc["run1.set1.1", "text"].startswith(
        "just the barest suggestion of a heel"
    )


def test_things(shared):
    made = read_assembly("things-behaviour", shared / "things")
    assert made.responses.shape == (1854, 66)
    assert made.stimuli.index[0] == "aardvark"
    animal = made.sel(region="animal-related").responses.to_series().droplevel("neuroid")
    top = made.stimuli["category"].iloc[np.argsort(animal.to_numpy())[-50:]]
    assert (top == "animal").mean() > 0.9
    assert read_assembly("things-behaviour", shared / "things", embedding="vice42").responses[
        "neuroid_id"].values[0] == "vice42.0"  # fmt: skip


def test_haxby_blocks():
    made = read_assembly("haxby-slice", fetch("haxby-slice"))
    assert made.responses.sizes["presentation"] == 96
    counts = pd.crosstab(made.responses["run"].values, made.responses["stimulus_id"].values)
    assert counts.shape == (12, 8)
    assert (counts == 1).all().all()
    assert nearest_mean(made.responses) > 0.35


def nearest_mean(responses):
    """Decode by correlation with the means of the other runs."""
    values, run = responses.values, responses["run"].values
    kind = responses["stimulus_id"].values
    right = []
    for held in np.unique(run):
        means = {k: values[(run != held) & (kind == k)].mean(0) for k in np.unique(kind)}
        for row, truth in zip(values[run == held], kind[run == held], strict=True):
            best = max(means, key=lambda k: np.corrcoef(row, means[k])[0, 1])
            right.append(best == truth)
    return np.mean(right)
