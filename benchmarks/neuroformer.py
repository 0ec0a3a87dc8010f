"""Neuroformer: training, generating and loading, against the published structure rewritten.

The small configuration: 300 units, 64 features, 4 heads, 2 + 2 + 2 blocks, about 29 spikes a
window and as many in its past, batches of 32. Ours and the published structure
(published_neuroformer.py) run in one process on the same weights: the losses of one batch agree
before anything is timed. "Figure" is what the authors' own code reached on such a machine. FLOPs
are those of matrix products and attention, counted while ours runs; GEMM is the rate of one large
product. The model trains for a while before it generates, so that windows have the spikes that they
should. The sweep shows that the cost of a step is linear in the size of what is read.

Run: python benchmarks/neuroformer.py [--device cuda --precision bfloat16 --compile]
"""

import argparse
import os
import warnings

if __name__ == "__main__":
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import torch
from pretraining import ATTENTION, gemm, gradient, seconds, step_of
from published_neuroformer import BLOCK, Published, Table
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

import neurokit as nk
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import Modality
from neurokit.windows.spike_tokens import EOS, FIRST, SOS

FIGURES = {"training": 66, "generating": 123, "loading": 129}  # a CPU second
N_UNITS, SPIKES, LENGTH, BATCH = 300, 29, 0.05, 32
# Dense bfloat16 products, FLOP/s by the data sheet.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}


def recording(duration):
    """Return Poisson spikes: what they are does not matter here, how many does."""
    rng = np.random.default_rng(0)
    n = rng.poisson(duration * SPIKES / LENGTH)
    times, units = rng.uniform(0, duration, n), rng.integers(0, N_UNITS, n)
    return nk.Recording.from_spikes(times, units, duration)


def windows(rec):
    return nk.windows.spike_windows(rec, length=LENGTH, history=LENGTH, dt=0.01)


def network(win, **changes):
    layers = dict.fromkeys(("state_layers", "history_layers", "final_layers"), 2)
    settings = {"width": 64, "n_heads": 4, "n_positions": BLOCK, "dropout": 0.2, **layers}
    return Neuroformer(NeuroformerConfig.of(win, **{**settings, **changes}))


def random_tokens(config, n_windows, n_spikes, n_past, device="cpu"):
    """Return a batch of windows that all have the same number of spikes."""
    generator = torch.Generator().manual_seed(0)

    def drawn(n, size):
        return torch.randint(FIRST, FIRST + size, (n_windows, n), generator=generator)

    ends = (torch.full((n_windows, 1), token) for token in (SOS, EOS))
    first, last = ends
    steps = drawn(n_spikes, config.n_steps).sort(dim=1).values
    batch = {
        "id": torch.cat([first, drawn(n_spikes, config.n_units), last], dim=1),
        "step": torch.cat([first, steps, last], dim=1),
        "past_id": drawn(n_past, config.n_units),
        "past_step": drawn(n_past, config.n_past_steps).sort(dim=1).values,
    }
    for modality in config.modalities:
        batch[modality.name] = torch.randn(n_windows, *modality.shape, generator=generator)
    if config.targets:
        batch["target"] = torch.randn(n_windows, len(config.targets), generator=generator)
    return {key: value.to(device) for key, value in batch.items()}


def agree(win):
    """Return how far apart losses and gradients of both are, relative to their size.

    The published structure attends to padding, too, so that its past must have none.
    """
    model = network(win, dropout=0.0).train()
    batch = win.batch(np.arange(BATCH))
    full = random_tokens(model.config, BATCH, 20, BLOCK - 1)
    batch |= {key: full[key] for key in ("past_id", "past_step")}
    losses, gradients = [], []
    for one in (model, Published(model).train()):
        model.zero_grad()
        losses.append(one.loss(batch)["loss"])
        losses[-1].backward()
        gradients.append(gradient(model))
    pairs = [losses, gradients]
    return max(float((a - b).detach().abs().max() / a.detach().abs().max()) for a, b in pairs)


def flops_of(function):
    with FlopCounterMode(display=False, custom_mapping=ATTENTION) as counted:
        function()
    return counted.get_total_flops()


def line(name, rate, other=None, figure=None, flops=0.0, of=0.0):
    out = f"{name:<28}{rate:>10,.0f}"
    out += f"{other:>12,.0f}{rate / other:>8.1f}" if other else f"{'–':>12}{'–':>8}"
    out += f"{figure:>9,.0f}{rate / figure:>8.1f}" if figure else f"{'–':>9}{'–':>8}"
    print(out + (f"{flops / 1e6:>10.1f}{of:>9.0%}" if flops else ""), flush=True)


def training(win, args, rate):
    """Time steps of both; return ours, trained for a while."""
    model = network(win).train()
    batch = win.batch(np.arange(BATCH))
    flops = flops_of(lambda: model.loss(batch)["loss"].backward())
    peer = Published(network(win)).train()
    steps = [step_of(model, batch, args), step_of(peer, batch, args, fused=None)]
    times = seconds(steps, "cpu", args.repeats)
    of = flops / times[0] / rate
    per_window = flops / BATCH
    line("training, windows", *(BATCH / t for t in times), FIGURES["training"], per_window, of)
    model = network(win, dropout=0.0).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
    rng = np.random.default_rng(0)
    for _ in range(args.steps):
        optimiser.zero_grad()
        model.loss(win.batch(rng.integers(0, len(win), BATCH)))["loss"].backward()
        optimiser.step()
    return model.eval()


def generating(model, win, rate):
    peer, drawn = Published(model).eval(), 0

    def published():
        nonlocal drawn
        drawn = peer.generate(win, range(3))

    other = seconds([published], "cpu", 2)[0]
    other = drawn / other
    for size, n_windows in ((1, 10), (BATCH, 10 * BATCH)):
        part, made = win.take(np.arange(n_windows)), None

        def ours(part=part, size=size):
            nonlocal made
            made = model.generate(part, duration=10 * LENGTH, batch_size=size, device="cpu")

        time = seconds([ours], "cpu", 2)[0]
        tokens = made["spikes"].sizes["spike"] + n_windows  # The ends are drawn, too.
        flops = flops_of(ours) / tokens
        name = f"generating, tokens, batch {size}"
        line(name, tokens / time, other, FIGURES["generating"], flops, flops * tokens / time / rate)
    print(f"{'':<28}{tokens / n_windows - 1:.1f} spikes a generated window", flush=True)


def loading(rec, win):
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(win))[: 200 * BATCH].reshape(-1, BATCH)
    table = Table(rec, LENGTH, LENGTH, 0.01)
    some = torch.utils.data.Subset(table, rows[0].tolist())

    def published():
        for _ in DataLoader(some, batch_size=BATCH):
            pass

    def ours():
        for of in rows:
            win.batch(of)

    times = seconds([ours, published], "cpu", 3)
    line("loading, samples", rows.size / times[0], BATCH / times[1], FIGURES["loading"])


def sweep(win, args):
    """Print how long a step takes as one thing that is read grows."""
    print("\nSeconds a step as one input grows (tokens a window: CPU s, GFLOP):")
    sizes = [64, 128, 256, 512]
    for name in ("past spikes", "variables", "frames"):
        found = []
        for size in sizes:
            n_past, modalities = SPIKES, ()
            if name == "past spikes":
                n_past = size
            elif name == "variables":
                modalities = (Modality("behaviour", n_samples=size, n_variables=3, layers=2),)
            else:
                shape = {"frame_shape": (20, 40), "patch": (1, 5, 5)}
                modalities = (Modality("video", "frames", size // 32, layers=2, **shape),)
            model = network(win, modalities=modalities, history=0.5).train()
            batch = random_tokens(model.config, BATCH, SPIKES, n_past)
            flops = flops_of(lambda m=model, b=batch: m.loss(b)["loss"].backward())
            time = seconds([step_of(model, batch, args)], "cpu", args.repeats)[0]
            found.append(f"{size}: {time:.3f}, {flops / 1e9:.1f}")
        print(f"{name:<14}" + "   ".join(found), flush=True)


def large(args):
    """Time the paper's 25 M configuration on an accelerator."""
    config = NeuroformerConfig.preset("visnav_medial", contrastive=0.25)
    model = Neuroformer(config).to(args.device).train()
    n = sum(p.numel() for p in model.parameters())
    rate = gemm(args.device, args.precision)
    name = torch.cuda.get_device_name()
    peak = next((flops for key, flops in PEAKS.items() if key in name), None)
    print(f"{name}, {args.precision}: {n / 1e6:.1f} M parameters; GEMM {rate / 1e12:.0f} TFLOP/s")
    plain = argparse.Namespace(**{**vars(args), "compile": False})
    for size in args.batches:
        batch = random_tokens(config, size, SPIKES, 5 * SPIKES, args.device)
        flops = flops_of(step_of(model, batch, plain))
        torch.cuda.reset_peak_memory_stats()
        time = seconds([step_of(model, batch, args)], args.device, args.repeats)[0]
        memory = torch.cuda.max_memory_allocated() / 2**30
        used = f"MFU {flops / time / peak:.0%}, " if peak and args.precision != "float32" else ""
        print(
            f"batch {size}: {size / time:,.0f} windows/s, {flops / size / 1e9:.1f} GFLOP a window,"
            f" {used}{flops / time / rate:.0%} of GEMM, {memory:.1f} GiB",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200, help="of training before generating")
    parser.add_argument("--batches", type=int, nargs="*", default=[160, 1024])
    parser.add_argument("--only", choices=["training", "loading", "sweep"])
    args = parser.parse_args()
    torch.manual_seed(0)
    if args.device != "cpu":
        large(args)
        return
    torch.set_num_threads(1)
    rec = recording(600.0)
    win = windows(rec)
    if args.only in (None, "training"):
        difference = agree(win)
        print(f"losses and gradients of both agree: {difference:.1e} at most, relative")
        assert difference < 1e-3, difference
    rate = gemm("cpu", "float32")
    print(f"cpu, float32: GEMM {rate / 1e9:.0f} GFLOP/s; a CPU second, one thread.")
    print(f"{'':<28}{'ours':>10}{'published':>12}{'ratio':>8}{'figure':>9}{'ratio':>8}"
          f"{'MFLOP':>10}{'of GEMM':>9}")  # fmt: skip
    if args.only in (None, "training"):
        generating(training(win, args, rate), win, rate)
    if args.only in (None, "loading"):
        loading(rec, win)
    if args.only in (None, "sweep"):
        sweep(win, args)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
