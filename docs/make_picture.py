"""Draw the README's picture from the questions that ``neurokit demo`` answers.

Run from the root of the checkout::

    python docs/make_picture.py
"""

from pathlib import Path

import matplotlib.pyplot as plt

import neurokit as nk

OUT = Path(__file__).with_name("demo.png")
# Question, which of its figures, and what the picture calls it.
PANELS = (
    ("head_direction", 0, "Spikes: tuning to head direction"),
    ("head_direction", 1, "Spikes: head direction, decoded"),
    ("resting_network", 0, "fMRI: networks at rest"),
    ("object_category", 0, "fMRI: which object was seen"),
    ("grip_force", 0, "iEEG: grip force, predicted"),
    ("evoked_response", 0, "EEG: tones minus checkerboards"),
)


def main() -> None:
    answers = {question: nk.demo.ask(question) for question, _, _ in PANELS}
    with nk.plotting.style():
        figure, axes = plt.subplots(2, 3, figsize=(12, 6.8), layout="constrained")
        for ax, (question, which, title) in zip(axes.flat, PANELS, strict=True):
            list(answers[question].figures.values())[which](ax)
            ax.set_title(title, loc="left", pad=26 if ax.get_legend() else 8)
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
        figure.savefig(OUT, dpi=110)


if __name__ == "__main__":
    main()
