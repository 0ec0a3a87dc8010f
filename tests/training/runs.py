"""Runs that tests start in processes of their own: to be killed, or to train together."""

import os
import random
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from neurokit.collectives import n_processes, summed
from neurokit.models import VectorQuantizer
from neurokit.training import distributed, fit

SETTINGS = {"epochs": 3, "batch_size": 8, "lr": 0.01, "device": "cpu", "progress": False}
LAST = 3 * 5  # steps


class Quantised(nn.Module):
    """An autoencoder with what a resumed run may forget: dropout, buffers, a codebook."""

    def __init__(self, dropout=0.1, kmeans_batches=3, norm=True, revive_after=2):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.encoder = nn.Sequential(
                nn.Linear(4, 6), nn.BatchNorm1d(6) if norm else nn.Identity(), nn.Tanh()
            )
            self.decoder = nn.Linear(6, 4)
        self.dropout = nn.Dropout(dropout)
        self.quantizer = VectorQuantizer(
            4, 6, "cosine", ema=0.9, kmeans_batches=kmeans_batches, revive_after=revive_after
        )

    def loss(self, batch):
        z, _, loss = self.quantizer(self.encoder(self.dropout(batch["x"])))
        error = (self.decoder(z) - batch["x"]).square().mean()
        return {"loss": error + loss, "error": error}


def samples(n=37):
    return [{"x": x} for x in torch.randn(n, 4, generator=torch.Generator().manual_seed(1))]


class Killer:
    """Ends the process without a word after some step."""

    def __init__(self, step):
        self.step = step

    def on_step(self, state):
        if state.step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch(self, state):
        self.on_step(state)


def train(folder, dies_at=None, **options):
    data = samples()
    return fit(
        Quantised(),
        data,
        data[:9],
        checkpoint_dir=folder,
        checkpoint_every=2,
        patience=2,
        callbacks=[] if dies_at is None else [Killer(dies_at)],
        **SETTINGS,
    )


def die_writing(folder):
    """Train until the first checkpoint is half written."""

    def half(state, file):
        file.write(b"half of it")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    torch.save = half
    train(folder)


def forked(function):
    """Run something in a process of its own; return the signal that ended it."""
    child = os.fork()
    if not child:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("A run failed.")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def keep(run, path):
    history = run.history.to_dict("list")
    torch.save({"weights": run.model.state_dict(), "history": history}, path)


def whole_and_killed(place, seed):
    """Train without interruption, and killed several times at steps chosen at random."""
    forked(lambda: keep(train(place / "whole"), place / "whole.pt"))
    folder = place / "killed"
    steps = sorted(random.Random(seed).sample(range(1, LAST + 1), 3))
    kills = [forked(lambda: train(folder, steps[0])), forked(lambda: die_writing(folder))]
    kills += [forked(lambda step=step: train(folder, step)) for step in steps[1:]]
    forked(lambda: keep(train(folder), place / "killed.pt"))
    print(steps, kills)


def pair_settings(folder):
    """Say what one process and two must agree in, to rounding."""
    plain = {**SETTINGS, "checkpoint_dir": folder, "checkpoint_every": 2, "accumulate": 2}
    # k-means and revival draw from what each process has, and dropout draws in each.
    model = Quantised(dropout=0.0, kmeans_batches=0, norm=False, revive_after=None)
    # Of the last batch one process has three samples, the other two.
    return model, samples(37), samples(5), plain


def first_alone(team, path):
    """Check what the first process does before the others, and without them."""
    with team.first_ahead():
        assert path.exists() == (team.rank > 0)
        path.touch()
    said = team.by_first(lambda: (os.getpid(), n_processes(), float(summed(torch.ones(())))))
    assert (said[0] == os.getpid()) == (team.rank == 0)
    assert said[1:] == (1, 1.0)
    assert float(summed(torch.ones(()))) == n_processes() == 2


def together(place):
    team = distributed.form_team("cpu")
    first_alone(team, place / "made")
    for name in ("fresh", "begun"):
        model, data, held_out, settings = pair_settings(place / name)
        run = fit(model, data, held_out, **settings)
        keep(run, place / f"{name}-{team.rank}.pt")
    again = fit(model, data, held_out, **settings)
    assert again.resumed_at == SETTINGS["epochs"]
    # With all that processes may differ in.
    run = fit(Quantised(), data, held_out, checkpoint_every=1, **SETTINGS)
    keep(run, place / f"all-{team.rank}.pt")
    # One sample is left for two processes.
    alone = fit(Quantised(0.0, 0, False), samples(9), **SETTINGS)
    assert len(alone.history) == SETTINGS["epochs"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "killed":
        for number in sys.argv[3:]:
            place = Path(sys.argv[2]) / number
            place.mkdir()
            whole_and_killed(place, int(number))
    else:
        together(Path(sys.argv[2]))
