"""A model with every verb and no training, and windows in which a rhythm comes and goes."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from neurokit.errors import DataError
from neurokit.models.nn import Pretrained
from neurokit.recording import Recording
from neurokit.windows import sliding


@dataclass(frozen=True)
class StandInConfig:
    n_channels: int = 2
    width: int = 6


class StandIn(Pretrained):
    """Random features of channels' spectra, and whether each is above the average."""

    config_class = StandInConfig

    def __init__(self, config):
        super().__init__(config)
        self.layer = torch.nn.Linear(config.n_channels, config.width)
        self.dropout = torch.nn.Dropout(0.5)

    def check(self, win):
        if len(win.names) != self.config.n_channels:
            raise DataError(f"Expected {self.config.n_channels} channels, got {len(win.names)}.")

    def represent(self, batch):
        spectrum = torch.fft.rfft(batch["x"], dim=1).abs()
        return self.dropout(self.layer(spectrum)).tanh()

    def codes(self, batch):
        above = (
            batch["x"].unflatten(1, (4, -1)).square().mean(2) > batch["x"].square().mean(1)[:, None]
        )
        return above.long().transpose(1, 2)


@pytest.fixture
def stand_in():
    torch.manual_seed(0)
    return StandIn(StandInConfig())


@pytest.fixture(scope="session")
def rhythm():
    """Twelve subjects, two runs each; in run 1 channel b has twice the 10-Hz rhythm."""
    rng = np.random.default_rng(0)
    t = np.arange(1200) / 60
    recs = []
    for subject in range(12):
        for run in (0, 1):
            x = 3e-6 * rng.normal(size=(1200, 2))
            phase, own = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.8, 1.2)
            rhythm = np.sin(2 * np.pi * 10 * t[:, None] + phase) * [2e-6, 2e-6 * (1 + run)]
            recs.append(Recording.from_array(
                own * (x + rhythm), 60, units="V", channels=["a", "b"],
                meta={"subject": f"s{subject:02}", "run": run},
            ))  # fmt: skip
    return sliding(recs, stream="eeg", length=4, labels="run")
