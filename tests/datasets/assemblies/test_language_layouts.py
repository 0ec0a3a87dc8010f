"""Values, texts and times come out of the language sets' files as they went in."""

import numpy as np
import pytest
import scipy.io
import xarray as xr

from neurokit.datasets import read_assembly
from neurokit.datasets.assemblies.textgrid import read_textgrid
from neurokit.errors import DataError, ReadError, UnknownNameError


def test_pereira_netcdf_needs_and_takes_an_experiment(write):
    folder, values = write("pereira_netcdf")
    made = read_assembly("pereira2018", folder, experiment="243sentences")
    np.testing.assert_array_equal(made.responses.values, values[:3, 1:].astype(np.float32))
    assert made.meta["dropped_neuroids"] == 1
    assert made.stimuli["text"].tolist() == ["One.", "Two.", "Three."]
    assert made.responses["passage"].values.tolist() == ["gun", "gun", "bee"]
    assert made.responses["region"].values.tolist() == ["LIFG", "LMFG", "LMFG"]
    one = read_assembly("pereira2018", folder, experiment="384sentences", subject="288")
    assert one.responses.shape == (2, 2)


def test_pereira_mat(write):
    folder, (path, values) = write("pereira_mat")
    made = read_assembly("pereira2018", folder, subject="P01", atlas="languageLH")
    # Column 6 of the atlas has a missing value; columns count from 1.
    np.testing.assert_allclose(made.responses.values, values[:, [1, 3]], rtol=1e-6)
    assert made.responses["region"].values.tolist() == ["LH_IFG", "LH_MFG"]
    assert made.responses["neuroid_id"].values.tolist() == ["P01.1", "P01.3"]
    assert made.responses["i"].values.tolist() == [4, 10]
    assert made.stimuli["text"].tolist()[:2] == ["A gun is a tool.", "It is old."]
    assert made.stimuli["passage"].tolist() == ["1.gun", "1.gun", "2.bee", "2.bee"]
    assert made.stimuli["position"].tolist() == [1, 2, 1, 2]
    assert made.stimuli["category"].tolist() == ["tool", "tool", "animal", "animal"]
    everything = read_assembly("pereira2018", path)
    assert everything.responses.shape == (4, 5)
    assert everything.meta["dropped_neuroids"] == 1
    one = read_assembly("pereira2018", path, atlas="gordon")
    assert one.responses["region"].values.tolist() == ["A1", "A1"]


def test_pereira_of_another_form_is_refused(write, tmp_path):
    folder, (path, _) = write("pereira_mat")
    with pytest.raises(UnknownNameError, match="Did you mean 'languageLH'"):
        read_assembly("pereira2018", path, atlas="languageRH")
    with pytest.raises(UnknownNameError, match="Unknown subject 'P07'.* Known: 'P01'"):
        read_assembly("pereira2018", folder, subject="P07")
    with pytest.raises(DataError, match="experiment is '385sentences'"):
        read_assembly("pereira2018", folder, experiment="385sentences")
    scipy.io.savemat(path, {"examples": np.eye(3), "keyConcept": np.array(["a", "b"], object)})
    with pytest.raises(ReadError, match="3 patterns, but 2 items of keyConcept"):
        read_assembly("pereira2018", path)
    scipy.io.savemat(path, {"other": 1})
    with pytest.raises(ReadError, match="it has none of them"):
        read_assembly("pereira2018", path)
    path.write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600))
    with pytest.raises(ReadError, match="version 5 to 7.*'-v7'"):
        read_assembly("pereira2018", path)


def test_pereira_concepts(tmp_path):
    content = {
        "examples": np.arange(6.0).reshape(2, 3),
        "keyConcept": np.array([["ability"], ["accomplished"]], dtype=object),
        "labelsConcreteness": np.array([[2.1], [3.2]]),
    }
    scipy.io.savemat(tmp_path / "examples_180concepts_pictures.mat", content)
    made = read_assembly("pereira2018", tmp_path, experiment="180concepts_pictures")
    assert made.stimuli["text"].tolist() == ["ability", "accomplished"]
    assert made.stimuli["concreteness"].tolist() == [2.1, 3.2]


def test_wehbe(write):
    folder, (path, data) = write("wehbe")
    made = read_assembly("wehbe2014", folder)
    rows = [*range(10, 15), *range(30, 35)]
    np.testing.assert_allclose(made.responses.values, data[rows], rtol=1e-6)
    assert made.responses["time"].values.tolist() == [20.0, 22.0, 24.0, 26.0, 28.0] * 2
    assert made.responses["region"].values.tolist() == [
        "Precentral_L", "Not_labelled", "Precentral_R",
    ]  # fmt: skip
    second = made.words[made.words["story"] == "run 2"]
    assert second[["word", "onset", "offset"]].to_numpy().tolist() == [
        ["never", 20.0, 20.5], ["flown.", 20.5, 21.0],
    ]  # fmt: skip
    assert made.stimuli.loc["run 1", "text"] == "Harry + had"
    older = read_assembly("wehbe2014", path, trim=(10, 7))
    assert older.responses.sizes["presentation"] == 6
    with pytest.raises(ReadError, match="no volume is left"):
        read_assembly("wehbe2014", path, trim=(15, 5))


def test_textgrids_long_short_and_sixteen_bits(write, tmp_path):
    folder, _ = write("lebel")
    long = folder / "derivative" / "TextGrids" / "souls.TextGrid"
    table = read_textgrid(long)
    assert table["word"].tolist() == ["sp", "ONCE", "{LG}", 'said "no"']
    assert table["onset"].tolist() == [0.0, 11.0, 11.5, 12.25]
    wide = tmp_path / "wide.TextGrid"
    wide.write_bytes(long.read_text().encode("utf-16"))
    assert read_textgrid(wide).equals(table)
    short = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "30", "<exists>",
             "2", '"TextTier"', '"marks"', "0", "30", "1", "4.5", '"x"', '"IntervalTier"',
             '"word"', "0", "30", "1", "0", "1.5", '"a ""b"""']  # fmt: skip
    wide.write_text("\n".join(short))
    assert read_textgrid(wide).to_dict("list") == {
        "word": ['a "b"'], "onset": [0.0], "offset": [1.5],
    }  # fmt: skip
    with pytest.raises(ReadError, match=r"expected a tier 'phone' of intervals; it has \['word'\]"):
        read_textgrid(wide, tier="phone")
    wide.write_text("\n".join(short[:-2]))
    with pytest.raises(ReadError, match="cut short or damaged"):
        read_textgrid(wide)


def test_lebel(write):
    folder, values = write("lebel")
    made = read_assembly("lebel2023", folder)
    both = np.concatenate([values["avatar"], values["souls"]]).astype(np.float32)
    np.testing.assert_array_equal(made.responses.values, both)
    assert made.responses["time"].values.tolist() == [10, 12, 14, 16, 18, 10, 12, 14, 16]
    assert made.words.groupby("story")["word"].agg(list).to_dict() == {
        "avatar": ["once", 'said "no"'], "souls": ["once", 'said "no"'],
    }  # fmt: skip
    assert made.meta["trimmed_volumes"] == {"avatar": 20, "souls": 20}
    assert made.stimuli.loc["souls", "text"] == 'once said "no"'


def test_lebel_reads_no_more_than_is_asked_for(write, monkeypatch):
    folder, values = write("lebel")
    read = []
    from neurokit.datasets.assemblies import lebel2023

    real = lebel2023.read_rows
    monkeypatch.setattr(lebel2023, "read_rows", lambda *a: read.append(a[2:]) or real(*a))
    made = read_assembly("lebel2023", folder)
    assert read == []
    part = made.responses.isel(presentation=slice(3, 6)).values
    assert read == [(3, 5), (0, 1)]
    np.testing.assert_allclose(part[2], values["souls"][0], rtol=1e-6)
    read.clear()
    later = made.sel(story="souls")
    assert read == []
    np.testing.assert_allclose(later.responses.values, values["souls"], rtol=1e-6)
    assert read == [(0, 4)]
    few = read_assembly("lebel2023", folder, stories=["souls"], voxels=[4, 1])
    np.testing.assert_allclose(few.responses.values, values["souls"][:, [4, 1]], rtol=1e-6)
    assert few.responses["neuroid_id"].values.tolist() == ["UTS01.4", "UTS01.1"]
    with pytest.raises(UnknownNameError, match="Did you mean 'souls'"):
        read_assembly("lebel2023", folder, stories=["soul"])
    with pytest.raises(DataError, match="Expected voxels from 0 to 5"):
        read_assembly("lebel2023", folder, voxels=[6])


def test_lebel_asks_for_a_subject(write):
    folder, _ = write("lebel", subjects=("UTS01", "UTS02"))
    with pytest.raises(ReadError, match="2 subjects: UTS01, UTS02. Choose one with subject="):
        read_assembly("lebel2023", folder)


def test_narratives(write):
    folder, values = write("narratives")
    made = read_assembly("narratives", folder, task="pieman")
    # The story lasts from 6 to 13.5 s: volumes 4 to 8; the sound began at 3 s.
    assert made.responses.shape == (5, 16)
    assert made.responses["time"].values.tolist() == [3.0, 4.5, 6.0, 7.5, 9.0]
    first = made.sel(subject="sub-002", region="R").responses.values
    np.testing.assert_array_equal(first, values["sub-002", "R"][4:9])
    assert made.words["word"].tolist() == ["I", "null", "began"]
    assert made.words["onset"].tolist() == [3.0, 3.5, 4.25]
    assert made.stimuli.loc["pieman", "text"] == "I null began"
    one = read_assembly("narratives", folder, task="pieman", subjects=["sub-001"])
    assert set(one.responses["subject"].values) == {"sub-001"}
    with pytest.raises(UnknownNameError, match="subject of pieman 'sub-003'"):
        read_assembly("narratives", folder, task="pieman", subjects=["sub-003"])
    with pytest.raises(ReadError, match="expected runs of 'tunnel' in derivatives/afni-nosmooth"):
        read_assembly("narratives", folder, task="tunnel")


def test_narratives_of_parcels_and_json_words(write):
    folder, _ = write("narratives", subjects=("sub-001",))
    func = folder / "derivatives" / "parcels" / "sub-001" / "func"
    func.mkdir(parents=True)
    table = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
    rows = "\n".join("\t".join(map(repr, map(float, row))) for row in table)
    (func / "sub-001_task-pieman_desc-clean_timeseries.tsv").write_text(f"A1\tV1\n{rows}\n")
    words = folder / "align.json"
    words.write_text('{"words": [{"word": "I", "case": "success", "start": 3, "end": 4}, '
                     '{"word": "fell", "case": "not-found-in-audio"}]}')  # fmt: skip
    made = read_assembly("narratives", folder, task="pieman", pipeline="parcels", transcript=words)
    np.testing.assert_allclose(made.responses.values, table[4:9], rtol=1e-6)
    assert made.responses["region"].values.tolist() == ["A1", "V1"]
    assert made.words[["word", "onset"]].to_numpy().tolist() == [["I", 3.0], ["fell", 4.0]]


def test_tuckute_of_the_authors(tmp_path):
    rows = ["item_id,sentence,cond,target_UID,roi,response_target"]
    for item, (a, b) in {"B.1": (1.0, 3.0), "B.2": (-1.0, 0.0)}.items():
        for roi in ("lang_LH_IFG", "lang_RH_IFG", "lang_LH_netw"):
            rows += [f"{item},It rains in {item}.,B,848,{roi},{a}"]
            rows += [f"{item},It rains in {item}.,B,853,{roi},{b}"]
    rows += ["D.1,Chosen.,D,848,lang_LH_IFG,9.0", "B.1,It rains in B.1.,B,999,lang_LH_IFG,9.0"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "brain-lang-data_participant_20230728.csv").write_text("\n".join(rows))
    made = read_assembly("tuckute2024", tmp_path)
    assert made.responses["region"].values.tolist() == ["IFG", "netw"]
    assert made.responses.values.tolist() == [[2.0, 2.0], [-0.5, -0.5]]
    each = read_assembly("tuckute2024", tmp_path, subjects="separate")
    assert each.sel(region="netw", subject="853").responses.values.ravel().tolist() == [3.0, 0.0]
    assert each.stimuli.loc["B.2", "text"] == "It rains in B.2."
    (tmp_path / "bold_response_LH.csv").write_text("item_id,text\nA,Hi.\n")
    with pytest.raises(ReadError, match="expected columns item_id, sentence and lang_LH_"):
        read_assembly("tuckute2024", tmp_path)


def test_blank_and_fedorenko_netcdf(tmp_path):
    blank = xr.DataArray(
        np.arange(6.0).reshape(3, 2),
        dims=("presentation", "neuroid"),
        name="data",
        coords={
            "stimulus_id": ("presentation", ["Boar.0.0", "Boar.0.1", "Elvis.0.0"]),
            "stimulus": ("presentation", ["If you were ", "to journey", "Once upon a "]),
            "story": ("presentation", ["Boar", "Boar", "Elvis"]),
            "neuroid_id": ("neuroid", ["090.03_LH_IFG", "061.03_LH_IFG"]),
            "fROI_area": ("neuroid", ["03_LH_IFG"] * 2),
            "subject_id": ("neuroid", ["090", "061"]),
        },
    )
    blank.to_netcdf(tmp_path / "assy_Blank2014_fROI.nc", engine="h5netcdf")
    made = read_assembly("blank2014", tmp_path / "assy_Blank2014_fROI.nc")
    assert made.sel(story="Elvis", subject="061").responses.values.tolist() == [[5.0]]
    assert made.responses["region"].values.tolist() == ["03_LH_IFG"] * 2
    assert made.stimuli["text"].tolist() == ["If you were ", "to journey", "Once upon a "]
    word = blank.drop_vars(["story", "fROI_area", "subject_id", "stimulus_id"]).assign_coords(
        stimulus_id=("presentation", [0, 1, 2]),
        sentence_id=("presentation", [0, 0, 1]),
        subject_UID=("neuroid", [1, 2]),
    )
    word.to_netcdf(tmp_path / "assy_Fedorenko2016.nc", engine="h5netcdf")
    made = read_assembly("fedorenko2016", tmp_path / "assy_Fedorenko2016.nc")
    assert made.responses["passage"].values.tolist() == ["0", "0", "1"]
    assert made.responses["subject"].values.tolist() == ["1", "2"]
    assert made.stimuli.index.tolist() == ["0", "1", "2"]


def test_reading_times_are_averaged_over_people(tmp_path):
    xr.DataArray(
        [[300.0, np.nan, 340.0], [np.nan, 400.0, np.nan]],
        dims=("presentation", "subject"),
        name="data",
        coords={
            "stimulus_id": ("presentation", [1, 2]),
            "word": ("presentation", ["If", "you"]),
            "story_id": ("presentation", [1, 1]),
            "subject_id": ("subject", ["a", "b", "c"]),
        },
    ).to_netcdf(tmp_path / "assy_Futrell2018.nc", engine="h5netcdf")
    made = read_assembly("brainio", tmp_path, name="futrell2018")
    assert made.responses.values.tolist() == [[320.0], [400.0]]
    assert made.stimuli["text"].tolist() == ["If", "you"]
    assert int(made.responses["n_subjects"].values[0]) == 3
