"""Small files in the layouts that the data sets are published in."""

import json
from pathlib import Path

import h5py
import mne
import nibabel
import numpy as np
import pandas as pd
import pytest
import scipy.io
import xarray as xr


def cells(items):
    out = np.empty((len(items), 1), dtype=object)
    for i, item in enumerate(items):
        out[i, 0] = item
    return out


def write_brainio(folder, seed=0):
    """Six trials of three images at two sites, and the stimulus set, as MajajHong2015."""
    values = np.random.default_rng(seed).normal(size=(4, 6, 1)).astype(np.float32)
    image = ["b", "a", "c"] * 2
    data = xr.DataArray(
        values,
        dims=("neuroid", "presentation", "time_bin"),
        name="dicarlo.MajajHong2015.public",
        coords={
            "neuroid_id": ("neuroid", ["Chabo_L_M_5_9", "Chabo_L_M_6_9", "Tito_L_A_1_1", "Tito_2"]),
            "animal": ("neuroid", ["Chabo", "Chabo", "Tito", "Tito"]),
            "region": ("neuroid", ["IT", "IT", "IT", "V4"]),
            "x": ("neuroid", [0.2, 0.6, 1.0, 1.4]),
            "image_id": ("presentation", image),
            "repetition": ("presentation", [1, 1, 1, 0, 0, 0]),
            "object_name": ("presentation", ["car", "face", "apple"] * 2),
            "stimulus": ("presentation", [7, 8, 9] * 2),
            "time_bin_start": ("time_bin", [70]),
            "time_bin_end": ("time_bin", [170]),
        },
    )
    # The names of index levels are all that BrainIO stores: dimensions have no coordinate.
    dataset = data.to_dataset()
    encoding = {name: {"zlib": True, "complevel": 1} for name in dataset.data_vars}
    dataset.to_netcdf(folder / "assy_majaj.nc", engine="h5netcdf", encoding=encoding)
    table = pd.DataFrame({"image_id": list("abcd"), "filename": [f"{i}.png" for i in "abcd"]})
    table.assign(background_id="x").to_csv(folder / "stimulus_hvm.csv", index=False)
    return values[:, :, 0].T, image


def write_pereira_netcdf(folder):
    """Two experiments, of which each person took one or both: the others' values are NaN."""
    values = np.arange(20.0).reshape(5, 4)
    values[:3, 0] = np.nan
    values[3:, 1] = np.nan
    xr.DataArray(
        values,
        dims=("presentation", "neuroid"),
        name="data",
        coords={
            "stimulus_id": ("presentation", [f"243.{i}" for i in range(3)] + ["384.0", "384.1"]),
            "stimulus": ("presentation", ["One.", "Two.", "Three.", "Four.", "Five."]),
            "experiment": ("presentation", ["243sentences"] * 3 + ["384sentences"] * 2),
            "passage_label": ("presentation", ["gun", "gun", "bee", "owl", "owl"]),
            "neuroid_id": ("neuroid", [11, 12, 13, 14]),
            "subject": ("neuroid", ["018", "215", "288", "288"]),
            "roi": ("neuroid", ["LIFG", "LIFG", "LMFG", "LMFG"]),
        },
    ).to_netcdf(folder / "assy_Pereira2018_language.nc", engine="h5netcdf")
    return values


def write_pereira_mat(folder, subject="P01"):
    """Four sentences of two passages, six voxels, two atlases whose ROIs are cells in cells."""
    values = np.random.default_rng(3).normal(size=(4, 6))
    values[0, 5] = np.nan
    atlases, rois, columns = (np.empty((1, 2), dtype=object) for _ in range(3))
    atlases[0, :] = ["gordon", "languageLH"]
    rois[0, 0], rois[0, 1] = cells(["A1"]), cells(["LH_IFG", "LH_MFG"])
    columns[0, 0] = cells([np.array([[1], [2]], np.uint32)])
    columns[0, 1] = cells([np.array([[2], [6]], np.uint32), np.array([[4]], np.uint32)])
    (folder / subject).mkdir(exist_ok=True)
    content = {
        "examples_passagesentences": values,
        "keySentences": cells(["A gun is a tool.", "It is old.", "Bees fly.", "Bees hum."]),
        "labelsPassageForEachSentence": np.array([[1], [1], [2], [2]], np.uint8),
        "keyPassages": cells(["gun", "bee"]),
        "labelsPassageCategory": np.array([[2], [1]], np.uint8),
        "keyPassageCategory": cells(["animal", "tool"]),
        "meta": {
            "subject": subject,
            "atlases": atlases,
            "rois": rois,
            "roiColumns": columns,
            "colToCoord": np.arange(18).reshape(6, 3) + 1,
        },
    }
    path = folder / subject / "data_384sentences.mat"
    scipy.io.savemat(path, content, do_compression=True)
    return path, values


def write_wehbe(folder):
    """Two runs of 20 volumes of which the middle five carry words, three voxels."""
    data = np.random.default_rng(1).normal(size=(40, 3))
    time = np.c_[np.arange(40) * 2.0, np.repeat([1, 2], 20)]
    shown = [("Harry", 20.0), ("+", 20.5), ("had", 21.0), ("never", 60.0), ("flown.", 60.5)]
    words = np.zeros((1, len(shown)), dtype=[(k, "O") for k in ("text", "start", "length")])
    for i, (text, start) in enumerate(shown):
        words[0, i] = (cells([text]), start, 0.5)
    meta = {
        "subject": 2,
        "colToCoord": np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        "colToROInum": np.array([[1, 0, 2]]),
        "ROInumToName": cells(["Precentral_L", "Precentral_R", "Not_labelled"]).T,
    }
    path = folder / "subject_2.mat"
    scipy.io.savemat(path, {"data": data, "time": time, "words": words, "meta": meta})
    return path, data


TEXTGRID = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0.0
xmax = 30
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "TextTier"
        name = "marks"
        xmin = 0
        xmax = 30
        points: size = 1
        points [1]:
            number = 4.5
            mark = "x"
    item [2]:
        class = "IntervalTier"
        name = "word"
        xmin = 0
        xmax = 30
        intervals: size = 4
        intervals [1]:
            xmin = 0.0
            xmax = 11.0
            text = "sp"
        intervals [2]:
            xmin = 11.0
            xmax = 11.5
            text = "ONCE"
        intervals [3]:
            xmin = 11.5
            xmax = 12.25
            text = "{LG}"
        intervals [4]:
            xmin = 12.25
            xmax = 13
            text = "said ""no"""
'''


def write_lebel(folder, subjects=("UTS01",)):
    """Two stories of five and four volumes, six voxels."""
    root = folder / "derivative"
    (root / "TextGrids").mkdir(parents=True)
    values = {}
    for subject in subjects:
        (root / "preprocessed_data" / subject).mkdir(parents=True)
        for story, n in (("avatar", 5), ("souls", 4)):
            values[story] = np.random.default_rng(n).normal(size=(n, 6))
            with h5py.File(root / "preprocessed_data" / subject / f"{story}.hf5", "w") as file:
                file["data"] = values[story]
            (root / "TextGrids" / f"{story}.TextGrid").write_text(TEXTGRID)
    (root / "respdict.json").write_text(json.dumps({"avatar": 25, "souls": 24, "other": 9}))
    return values


def write_narratives(folder, subjects=("sub-001", "sub-002")):
    """A sound that begins at 3 s, its story at 6 s for 7.5 s, in volumes of 1.5 s."""
    values = {}
    for number, subject in enumerate(subjects):
        func = folder / subject / "func"
        func.mkdir(parents=True)
        (func / f"{subject}_task-pieman_run-1_events.tsv").write_text(
            "onset\tduration\ttrial_type\tstim_file\n3.0\t2.0\tmusic\tpieman_audio.wav\n"
            "6.0\t7.5\tstory\tpieman_audio.wav\n"
        )
        made = folder / "derivatives" / "afni-nosmooth" / subject / "func"
        made.mkdir(parents=True)
        for hemisphere in "LR":
            series = np.random.default_rng([number, ord(hemisphere)]).normal(size=(12, 4))
            values[subject, hemisphere] = series.astype(np.float32)
            arrays = [
                nibabel.gifti.GiftiDataArray(row, datatype="NIFTI_TYPE_FLOAT32")
                for row in values[subject, hemisphere]
            ]
            name = f"{subject}_task-pieman_run-1_space-fsaverage6_hemi-{hemisphere}_desc-clean"
            nibabel.save(nibabel.gifti.GiftiImage(darrays=arrays), made / f"{name}.func.gii")
    gentle = folder / "stimuli" / "gentle" / "pieman"
    gentle.mkdir(parents=True)
    (gentle / "align.csv").write_text("I,i,3.0,3.5\nnull,<unk>,,\nbegan,began,4.25,5.0\n")
    return values


def write_bold5000(folder):
    """Release 1: five trials of four pictures, two regions."""
    (folder / "CSI1" / "mat").mkdir(parents=True)
    (folder / "stim_lists").mkdir()
    values = {r: np.random.default_rng(i).normal(size=(5, 2)) for i, r in
              enumerate(("LHPPA", "RHPPA", "LHRSC"))}  # fmt: skip
    scipy.io.savemat(folder / "CSI1" / "mat" / "CSI1_ROIs_TR34.mat", values)
    names = ["n01930112_19568.JPEG", "rep_beach2.jpg", "COCO_train2014_000000211198.jpg",
             "rep_beach2.jpg", "beach3.jpg"]  # fmt: skip
    (folder / "stim_lists" / "CSI01_stim_lists.txt").write_text("\n".join(names) + "\n")
    return values


def write_nsd(folder, sessions=2, form="hdf5"):
    """Two sessions of 750 trials of 300 pictures in a grid of 3 x 4 x 2 voxels."""
    rng = np.random.default_rng(5)
    betas = folder / "nsddata_betas/ppdata/subj02/func1pt8mm/betas_fithrf_GLMdenoise_RR"
    roi = folder / "nsddata/ppdata/subj02/func1pt8mm/roi"
    design = folder / "nsddata/experiments/nsd"
    labels = folder / "nsddata/freesurfer/subj02/label"
    for made in (betas, roi, design, labels):
        made.mkdir(parents=True)
    order = rng.integers(1, 301, size=(1, 750 * 40))
    pictures = np.stack([np.arange(1, 301), rng.permutation(73000)[:300] + 1])
    scipy.io.savemat(
        design / "nsd_expdesign.mat",
        {"masterordering": order, "subjectim": pictures, "sharedix": pictures[1:, :10]},
    )
    values = rng.integers(-3000, 3000, size=(sessions, 3, 4, 2, 750)).astype(np.int16)
    for i, session in enumerate(values):
        if form == "hdf5":
            with h5py.File(betas / f"betas_session{i + 1:02d}.hdf5", "w") as file:
                file.create_dataset("betas", data=session.T, chunks=(750, 1, 1, 1))
        else:
            image = nibabel.Nifti1Image(session, np.eye(4))
            nibabel.save(image, betas / f"betas_session{i + 1:02d}.nii.gz")
    mask = np.full((3, 4, 2), -1, np.int16)
    mask[0, 1, 1], mask[2, 3, 0], mask[2, 1, 0] = 1, 2, 1
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), roi / "prf-visualrois.nii.gz")
    snr = np.full((3, 4, 2), 0.2676550)
    nibabel.save(nibabel.Nifti1Image(snr, np.eye(4)), betas / "ncsnr.nii.gz")
    (labels / "prf-visualrois.mgz.ctab").write_text("0 Unknown\n1 V1v\n2 V1d\n")
    return values, pictures[1][order.ravel() - 1] - 1


def write_algonauts(folder):
    values = {s: np.random.default_rng(i).normal(size=(3, 4)).astype(np.float32)
              for i, s in enumerate(("lh", "rh"))}  # fmt: skip
    for name in ("training_split/training_images", "training_split/training_fmri", "roi_masks"):
        (folder / "subj03" / name).mkdir(parents=True)
    for i, nsd in enumerate((13, 7, 21)):
        split = folder / "subj03" / "training_split"
        (split / "training_images" / f"train-{i + 1:04d}_nsd-{nsd:05d}.png").touch()
    for side, codes in (("lh", [0, 1, 1, 3]), ("rh", [2, 0, 7, 1])):
        np.save(split / "training_fmri" / f"{side}_training_fmri.npy", values[side])
        mask = folder / "subj03" / "roi_masks" / f"{side}.prf-visualrois_challenge_space.npy"
        np.save(mask, np.array(codes, np.float64))
    return values


def write_kay(folder):
    values = np.random.default_rng(8).normal(size=(5, 4)).astype(np.float32)
    values[2, 3] = np.nan
    with h5py.File(folder / "EstimatedResponses.mat", "w", userblock_size=512) as file:
        file["dataTrnS1"], file["dataValS1"] = values[:3], values[3:]
        file["roiS1"] = np.array([[1.0, 6.0, 0.0, 2.0]])
        file["voxIdxS1"] = np.array([[301.0, 302.0, 40.0, 7.0]])
    with (folder / "EstimatedResponses.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    grey = np.linspace(-0.5, 0.5, 3 * 16).reshape(3, 4, 4)
    scipy.io.savemat(folder / "Stimuli.mat", {"stimTrn": grey, "stimVal": grey[:2]})
    return values


def write_things_fmri(folder):
    """Four voxels, two test pictures twice and two training pictures once, as pandas writes."""
    values = np.random.default_rng(9).normal(size=(4, 6))
    with h5py.File(folder / "sub-01_ResponseData.h5", "w") as file:
        group = file.create_group("ResponseData")
        group["block0_values"] = values
        group["block1_values"] = np.arange(4)[:, None]
        group["axis1"] = np.arange(4)
    (folder / "sub-01_StimulusMetadata.csv").write_text(
        "trial_type,session,run,stimulus,concept\ntrain,1,1,mango_01b.jpg,mango\n"
        "test,1,1,owl_13s.jpg,owl\ntest,1,1,cat_13s.jpg,cat\ntest,2,1,owl_13s.jpg,owl\n"
        "train,2,1,dog_02s.jpg,dog\ntest,2,1,cat_13s.jpg,cat\n"
    )
    (folder / "sub-01_VoxelMetadata.csv").write_text(
        "voxel_id,voxel_x,voxel_y,voxel_z,nc_testset,nc_singletrial,V1,lFFA\n"
        "0,1,2,3,36,4,0,1\n1,1,2,4,49,9,1,0\n2,2,2,3,0,0,0,0\n3,2,5,3,81,16,1,0\n"
    )
    return values


def write_things_meg(folder):
    """Three sensors, 16 samples at 20 Hz; two test pictures twice, one of training, a catch."""
    values = np.random.default_rng(4).normal(size=(6, 3, 16))
    info = mne.create_info(["MLO11-1609", "MRT21-1609", "MZC01-1609"], 20.0, "mag")
    table = pd.DataFrame(
        {
            "trial_type": ["test", "exp", "test", "catch", "test", "test"],
            "things_image_nr": [7, 8, 9, 0, 9, 7],
            "things_category_nr": [1, 2, 3, 0, 3, 1],
            "image_path": [f"images/{n}.jpg" for n in
                           ("owl_13s", "ice_cream_02n", "bat_1", "catch", "bat_1", "owl_13s")],
        }
    )  # fmt: skip
    events = np.c_[np.arange(6) * 20, np.zeros(6, int), np.ones(6, int)]
    epochs = mne.EpochsArray(values, info, events, tmin=-0.1, metadata=table, verbose="ERROR")
    (folder / "derivatives" / "preprocessed").mkdir(parents=True)
    path = folder / "derivatives" / "preprocessed" / "preprocessed_P2-epo.fif"
    epochs.save(path, fmt="double", verbose="ERROR")
    return values


def write_things_behaviour(folder):
    (folder / "triplet_dataset").mkdir()
    (folder / "triplet_dataset" / "trainset.txt").write_text("0 1 2\n3 2 0\n")
    (folder / "triplet_dataset" / "validationset.txt").write_text("1 2 3\n")
    (folder / "unique_id.txt").write_text("aardvark\nbat1\nbat2\nice_cream\n")
    return np.array([[0, 1, 2], [3, 2, 0]])


WRITERS = {k.removeprefix("write_"): v for k, v in list(globals().items())
           if k.startswith("write_")}  # fmt: skip


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a layout into the test's folder."""
    return lambda name, **kwargs: (tmp_path, WRITERS[name](tmp_path, **kwargs))


@pytest.fixture(scope="session")
def shared():
    """Return the folder of the real sets, or skip."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "alignment"
    if not folder.is_dir():
        pytest.skip("needs the shared data sets")
    return folder
