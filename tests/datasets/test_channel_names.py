"""Names as files write them."""

import mne
import pytest

from neurokit.datasets.channel_names import (
    are_scalp_names,
    clean_channel_name,
    clean_channel_names,
    guess_type,
    standard_montage,
)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Fc5.", "FC5"),
        ("C5..", "C5"),
        ("FPZ", "Fpz"),
        ("EEG FP1-REF", "Fp1"),
        ("EEG T3-LE", "T7"),
        ("EEG Fpz-Cz", "Fpz-Cz"),
        ("T4", "T8"),
        ("t5", "P7"),
        ("T6", "P8"),
        ("  Cz  ", "Cz"),
        ("POL LAH1", "LAH1"),
        ("EEG 001", "EEG 001"),
        ("ECOG_RIGHT_0", "ECOG_RIGHT_0"),
        ("TI'2", "TI'2"),
        ("EOG horizontal", "EOG horizontal"),
        ("...", "..."),
    ],
)
def test_clean_name(name, clean):
    assert clean_channel_name(name) == clean
    assert clean_channel_name(clean) == clean


def test_every_1005_name_in_any_case_is_found():
    names = mne.channels.make_standard_montage(standard_montage()).ch_names
    plain = [n for n in names if n not in ("T3", "T4", "T5", "T6")]
    assert [clean_channel_name(n.upper() + ".") for n in plain] == plain


@pytest.mark.parametrize(
    ("names", "clean"),
    [
        (["Fz.", "Cz.", "T3"], ["Fz", "Cz", "T7"]),
        (["Fz", "T3", "T7"], ["Fz", "T3", "T7"]),
        (["EEG Fz", "Fz.", "Fz"], ["EEG Fz", "Fz.", "Fz"]),
        (["T1", "T2", "T3", "T4", "HL1", "HL2"], ["T1", "T2", "T3", "T4", "HL1", "HL2"]),
        ([], []),
    ],
)
def test_names_stay_unique(names, clean):
    assert clean_channel_names(names) == clean


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("EOG1", "eog"),
        ("VEOGL", "eog"),
        ("E1-M2", "eog"),
        ("EEG EKG1-REF", "ecg"),
        ("EMG submental", "emg"),
        ("Resp oro-nasal", "resp"),
        ("Temp rectal", "temperature"),
        ("Event marker", "stim"),
        ("Status", "stim"),
        ("STI 014", "stim"),
        ("SaO2", "misc"),
        ("ACC_X", "misc"),
        *[(n, None) for n in ("Cz", "E12", "PHR1", "ABDL3", "FLOW1", "PO4", "A1", "EEG A1-REF")],
    ],
)
def test_type_from_name(name, kind):
    assert guess_type(name) == kind


def test_scalp_or_depth():
    assert are_scalp_names(["Fz", "Cz..", "EOG1", "ECG"])
    assert not are_scalp_names(["LAH1", "LAH2", "O1"])
    assert not are_scalp_names([])
