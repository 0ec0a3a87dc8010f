"""Steps of pretraining and fine-tuning: Du-IN in the paper's configuration, and EEGFormer.

A step is the loss of a batch, its gradient, clipping and AdamW. Du-IN is compared with its
published structure, rewritten (published_duin.py), in the same process, on the same weights: the
losses, gradients and codes of both agree before anything is timed. "Figure" is what the authors'
own code took a step on such a machine. FLOPs are those of the matrix products and convolutions of
our step, counted while it runs; GEMM is the rate of one large product in the same precision. The
published structure and the figures compute the codes of masked-code modelling (0.67 s of its
figure) at each step, ours once in a run. They are in single precision; with --precision bfloat16
ours is not, which pays on CPUs that have its instructions.

Run: python benchmarks/pretraining.py [--only mae] [--precision bfloat16] [--device cuda --compile]
"""

import argparse
import copy
import dataclasses
import os
import time
import warnings

if __name__ == "__main__":
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import torch
from published_duin import CLS, MAE, VQVAE
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from neurokit.models.duin import DuIN, DuINConfig, DuINMasked
from neurokit.models.eegformer import EEGFormer, EEGFormerConfig
from neurokit.models.nn import random_mask

FIGURES = {"vqvae": 1.73, "mae": 3.7 + 0.67, "cls": 0.81}  # CPU s a step
# Attention on the CPU, which the counter does not know.
ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: (
        lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v)
    ),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda out, q, k, v, *_, **__: sdpa_backward_flop_count(out, q, k, v)
    ),
}
PEERS = {"vqvae": VQVAE, "mae": MAE, "cls": CLS}


def models(name, small, **changes):
    """Return a model of ours and a batch for it."""
    generator = torch.Generator().manual_seed(0)
    if name == "eegformer":
        config = EEGFormerConfig.preset("small", **changes)
        shape = (1 if small else 8, config.n_samples, 19)
        return EEGFormer(config), {"x": 1e-5 * torch.randn(shape, generator=generator)}
    n, time_ = {"vqvae": (32, 4000), "mae": (64, 4000), "cls": (32, 3000)}[name]
    n, time_ = (4, 400) if small else (n, time_)
    config = DuINConfig.preset("paper", n_samples=time_, **changes)
    batch = {"x": torch.randn(n, time_, 10, generator=generator)}
    stage1 = DuIN(config)
    if name == "vqvae":
        return stage1, batch
    stage2 = DuINMasked(config, tokenizer=stage1)
    if name == "mae":
        return stage2, batch
    batch["label"] = torch.randint(61, (n,), generator=generator)
    return stage2.classifier([str(i) for i in range(61)]), batch


def started(model, batch):
    """Let a codebook come to its k-means start, which is no part of an ordinary step."""
    with torch.no_grad():
        for _ in range(getattr(model.config, "kmeans_batches", 8) * hasattr(model, "quantizer")):
            model.loss(batch)


def agree(name):
    """Check that both compute the same loss, gradients and codes; return the largest difference."""
    model, batch = models(name, small=True, dropout=0.0)
    model.train()
    started(model, batch)
    if name == "cls":
        backbone = model.backbone
        backbone.config = dataclasses.replace(backbone.config, shift=0.0)
    ours, theirs = model, PEERS[name](copy.deepcopy(model)).train()
    torch.manual_seed(0)
    mask = {}
    if name == "mae":
        # Both draw masks of their own: here they are told.
        mask = {"mask": random_mask(4, 4, 0.5)}
        codes = ours.codes(batch)
        logits = ours(batch, **mask)
        mine = torch.nn.functional.cross_entropy(logits.flatten(0, 1), codes.flatten())
    else:
        mine = ours.loss(batch)["loss"]
    other = theirs.loss(batch, **mask)["loss"]
    mine.backward()
    other.backward()
    pairs = [(mine, other), tuple(map(gradient, (ours, theirs.ours)))]
    if name == "vqvae":
        pairs.append((ours.quantizer.codebook, theirs.quantizer.weight))
    return max(float((a - b).detach().abs().max() / a.detach().abs().max()) for a, b in pairs)


def gradient(model):
    """Return all gradients as one vector: some of them are zero but for rounding."""
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def step_of(model, batch, args, fused=True):
    """Return a function that trains for one step."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=1e-4, fused=fused)
    dtype = torch.bfloat16 if args.precision == "bfloat16" else None
    loss = torch.compile(model.loss) if args.compile else model.loss

    def step():
        with torch.autocast(args.device, dtype, enabled=dtype is not None):
            value = loss(batch)["loss"]
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()

    return step


def seconds(functions, device, repeats):
    """Return the best time of each; they take turns, so that load falls on all alike."""
    clock = time.process_time
    best = [float("inf")] * len(functions)
    for _ in range(repeats + 1):  # The first round warms up.
        for i, function in enumerate(functions):
            start = clock() if device == "cpu" else time.perf_counter()
            function()
            if device != "cpu":
                torch.cuda.synchronize()
            best[i] = min(best[i], (clock() if device == "cpu" else time.perf_counter()) - start)
    return best


def gemm(device, precision, n=2048):
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    n *= 1 if device == "cpu" else 4
    a, b = torch.randn(2, n, n, device=device, dtype=dtype)
    return 2 * n**3 / seconds([lambda: a @ b], device, 5)[0]


def row(name, args, rate):
    model, batch = models(name, args.small)
    model.to(args.device).train()
    batch = {k: v.to(args.device) for k, v in batch.items()}
    started(model, batch)
    if name == "mae":
        # Training computes the codes of its windows once, before the first step.
        codes = seconds([lambda: model.constants(batch)], args.device, args.repeats)[0]
        batch |= model.constants(batch)
        print(f"codes of {len(batch['x'])} windows, once in a run: {codes:.3f} s", flush=True)
    peer = PEERS.get(name) if args.device == "cpu" and args.precision == "float32" else None
    runs = [step_of(model, batch, args)]
    if peer is not None:
        runs.append(step_of(peer(copy.deepcopy(model)).train(), batch, args, fused=None))
    with FlopCounterMode(display=False, custom_mapping=ATTENTION) as counted:
        step_of(model, batch, argparse.Namespace(**{**vars(args), "compile": False}))()
    flops = counted.get_total_flops()
    times = seconds(runs, args.device, args.repeats)
    tokens = (
        model.codes(batch).numel() if hasattr(model, "codes") else batch["x"][..., 0].numel() // 100
    )
    line = f"{name:<10}{1 / times[0]:>9.3g}{tokens / times[0]:>10.0f}{times[0]:>8.3f}"
    line += f"{flops / 1e9:>9.1f}{flops / times[0] / rate:>9.0%}"
    line += (
        f"{times[1]:>12.3f}{times[0] / times[1]:>7.2f}"
        if peer is not None
        else f"{'–':>12}{'–':>7}"
    )
    if args.device == "cpu" and name in FIGURES and not args.small:
        line += f"{FIGURES[name]:>9.2f}{times[0] / FIGURES[name]:>7.2f}"
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=[*FIGURES, "eegformer"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--small", action="store_true", help="a few short windows")
    parser.add_argument("--repeats", type=int, default=10)
    args = parser.parse_args()
    if args.device == "cpu":
        torch.set_num_threads(1)
    torch.manual_seed(0)
    names = [args.only] if args.only else [*FIGURES, "eegformer"]
    for name in names:
        if name in PEERS and args.device == "cpu":
            difference = agree(name)
            print(f"{name}: ours and the published structure differ by {difference:.1e} at most")
            assert difference < 1e-3, difference
    rate = gemm(args.device, args.precision)
    clock = "CPU s, one thread" if args.device == "cpu" else "wall s"
    print(f"{args.device}, {args.precision}: GEMM {rate / 1e9:.0f} GFLOP/s; {clock}.")
    print(f"{'':<10}{'steps/s':>9}{'tokens/s':>10}{'s/step':>8}{'GFLOP':>9}{'of GEMM':>9}"
          f"{'published':>12}{'ratio':>7}{'figure':>9}{'ratio':>7}")  # fmt: skip
    for name in names:
        row(name, args, rate)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
