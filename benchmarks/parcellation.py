"""Parcellation against nilearn's NiftiLabelsMasker: same data, same process, CPU time.

    python benchmarks/parcellation.py [--shape 64 64 40] [--volumes 200] [--parcels 200]
    python benchmarks/parcellation.py --image bold.nii.gz --labels parcels.nii.gz

Both start from volumes in memory and end with (time, parcel); the time to read is shown
beside it. The smallest of the repetitions counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
from nilearn.maskers import NiftiLabelsMasker

from neurokit.datasets.fmri import read_nifti
from neurokit.preprocessing.parcellation import parcellate

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "fmri" / "ds205_localizer"


def main() -> None:
    arguments = _arguments()
    if arguments.image:
        compare("given image", arguments.image, arguments.labels, arguments.repeats)
        return
    with tempfile.TemporaryDirectory() as folder:
        image, labels = generate(
            Path(folder), tuple(arguments.shape), arguments.volumes, arguments.parcels
        )
        compare("generated", image, labels, arguments.repeats)
    if SHARED.is_dir():
        (image,), (labels,) = SHARED.glob("*_volreg.nii.gz"), SHARED.glob("*_parc.nii.gz")
        compare("ds205 localizer", image, labels, arguments.repeats)


def generate(
    folder: Path, shape: tuple[int, int, int], n_volumes: int, n_parcels: int
) -> tuple[Path, Path]:
    """Write noise, and parcels that are the nearest of random centres."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(0)
    values = rng.normal(1000, 50, size=(n_volumes, *shape[::-1])).astype(np.float32).T
    places = np.argwhere(np.ones(shape, bool))
    inside = np.linalg.norm(places / np.array(shape) - 0.5, axis=1) < 0.45
    centres = places[inside][rng.choice(inside.sum(), n_parcels, replace=False)]
    labels = np.zeros(len(places), np.int16)
    labels[inside] = cKDTree(centres).query(places[inside])[1] + 1
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(values, affine), folder / "bold.nii")
    nibabel.save(nibabel.Nifti1Image(labels.reshape(shape), affine), folder / "labels.nii.gz")
    return folder / "bold.nii", folder / "labels.nii.gz"


def compare(title: str, image: Path, labels: Path, repeats: int) -> None:
    volumes = nibabel.load(image)
    volumes = nibabel.Nifti1Image(volumes.get_fdata(dtype=np.float32), volumes.affine)
    recording = read_nifti(image, repetition_time=2.0)
    masker = NiftiLabelsMasker(labels, standardize=None).fit()
    theirs, peer = _fastest(lambda: masker.transform(volumes), repeats)
    ours, result = _fastest(lambda: parcellate(recording, labels), repeats)
    reading, _ = _fastest(lambda: read_nifti(image, repetition_time=2.0), 1)
    series = result["bold"].values
    difference = float(np.abs(series - peer).max() / np.abs(peer).max())
    print(f"{title}: {'x'.join(map(str, volumes.shape))}, {series.shape[1]} parcels")
    print(f"  nilearn {theirs:8.3f} s CPU")
    print(
        f"  ours    {ours:8.3f} s CPU   {theirs / ours:.1f}x, largest difference {difference:.1e}"
    )
    print(f"  (reading the file: {reading:.3f} s)")


def _fastest(run: Callable[[], object], repeats: int) -> tuple[float, object]:
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        result = run()
        seconds.append(time.process_time() - start)
    return min(seconds), result


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=3, default=(64, 64, 40))
    parser.add_argument("--volumes", type=int, default=200)
    parser.add_argument("--parcels", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--labels", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
