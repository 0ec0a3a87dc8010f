"""Neuroformer computed step by step as its published code is laid out, on the weights of ours.

This is not the authors' code but that structure rewritten, so that both can run in one process:
every window padded to blocks of 64 tokens, past and current alike, all of which pass through all
layers; softmax attention by hand; no key-padding mask; generation that runs the whole block for
each token, one window at a time, with nothing kept; a data set that selects the rows of a table
for each sample, and makes its tokens one by one.
"""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from neurokit.windows.spike_tokens import EOS, FIRST, PAD, SOS

BLOCK = 64


def blocks(x):
    """Pad a batch to whole blocks, or cut it."""
    return F.pad(x[:, :BLOCK], (0, BLOCK - min(BLOCK, x.shape[1])), value=PAD)


def heads(x, n_heads):
    return x.view(*x.shape[:2], n_heads, -1).transpose(1, 2)


def attend(layer, query, key, value, causal):
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if causal:
        seen = torch.tril(torch.ones(scores.shape[-2:])).bool()
        scores = scores.masked_fill(~seen, float("-inf"))
    weights = F.dropout(scores.softmax(dim=-1), layer.dropout, layer.training)
    mixed = (weights @ value).transpose(1, 2).contiguous()
    return layer.output(mixed.flatten(2))


def through(block, x, memory=None):
    """Pass a block of tokens through a layer of ours."""
    p = block.drop.p if block.training else 0.0
    layer, normed = block.attention, block.attention_norm(x)
    parts = [heads(part, layer.n_heads) for part in layer.qkv(normed).chunk(3, dim=-1)]
    x = x + F.dropout(attend(layer, *parts, causal=True), p)
    if memory is not None:
        layer = block.cross
        query = heads(layer.query(block.cross_norm(x)), layer.n_heads)
        parts = [heads(part, layer.n_heads) for part in layer.key_value(memory).chunk(2, dim=-1)]
        x = x + F.dropout(attend(layer, query, *parts, causal=False), p)
    return x + F.dropout(block.feed(block.feed_norm(x)), p)


class Published(nn.Module):
    """The network."""

    def __init__(self, ours):
        super().__init__()
        self.ours = ours

    def embed(self, id, step, table, place, clock):
        embedding = self.ours.body.embedding
        times = torch.cat([embedding.special, embedding.time(clock)])
        x = embedding.unit(id) + F.embedding(step, times) + table(place)
        return F.dropout(x, embedding.drop.p, self.training)

    def forward(self, batch):
        """Return the logits of all positions of the blocks."""
        ours, embedding = self.ours.body, self.ours.body.embedding
        # Ours puts a start in front of the past.
        start = torch.full((len(batch["id"]), 1), SOS)
        id, step, past_id, past_step = (
            blocks(torch.cat([start, batch[key]], dim=1) if "past" in key else batch[key])
            for key in ("id", "step", "past_id", "past_step")
        )
        place = torch.arange(BLOCK).expand_as(id)
        x = self.embed(id, step, embedding.position, place, embedding.clock[embedding.n_past :])
        there = past_id != PAD
        place = (there.flip(1).cumsum(1).flip(1) - 1).clamp(min=0)
        clock = embedding.clock[: embedding.n_past]
        past = self.embed(past_id, past_step, embedding.past_position, place, clock)
        for block in ours.state.blocks:
            x = through(block, x)
        memory = ours.history.memory_norm(past)
        for block in ours.history.blocks:
            x = through(block, x, memory)
        for block in ours.final.blocks:
            x = through(block, x)
        x = ours.norm(x)
        return self.ours.id_head(x), self.ours.step_head(x)

    def loss(self, batch):
        id_logits, step_logits = self(batch)
        id_loss, step_loss = (
            F.cross_entropy(
                logits[:, :-1].flatten(0, 1), blocks(batch[key])[:, 1:].flatten(), ignore_index=PAD
            )
            for logits, key in ((id_logits, "id"), (step_logits, "step"))
        )
        share = self.ours.config.id_share
        return {"loss": share * id_loss + (1 - share) * step_loss}

    @torch.no_grad()
    def generate(self, win, rows, top_p=0.95):
        """Generate some windows after their true past; return the number of tokens drawn."""
        n_tokens = 0
        for row in rows:
            batch = win.batch(np.array([row]))
            id, step = [SOS], [SOS]
            while len(id) < BLOCK:
                batch["id"], batch["step"] = torch.tensor([id]), torch.tensor([step])
                logits = self(batch)
                drawn = [nucleus(part[0, len(id) - 1], top_p) for part in logits]
                n_tokens += 1
                if drawn[0] == EOS:
                    break
                id.append(drawn[0])
                step.append(drawn[1])
        return n_tokens


def nucleus(logits, top_p):
    p, order = torch.sort(logits.softmax(dim=-1), descending=True)
    p[p.cumsum(dim=-1) - p > top_p] = 0
    return int(order[torch.multinomial(p / p.sum(), 1)])


class Table(torch.utils.data.Dataset):
    """Samples selected from a table of spikes, one at a time."""

    def __init__(self, rec, length, history, dt):
        spikes = rec["spikes"]
        ids = spikes["id"].values[spikes["unit"].values]
        time = spikes["time"].values
        interval = (np.floor(time / length) + 1) * length
        self.table = pd.DataFrame({"time": time, "id": ids, "interval": interval.round(3)})
        self.length, self.history, self.dt = length, history, dt
        self.ids = {unit: i + FIRST for i, unit in enumerate(spikes["id"].values.tolist())}
        self.steps = {round(i * dt, 4): i + FIRST for i in range(round(max(length, history) / dt))}
        self.times = np.round(np.arange(length + history, rec.duration, length), 3)

    def __len__(self):
        return len(self.times)

    def tokens(self, start, stop):
        """Return the padded tokens of the rows in (start, stop]."""
        table = self.table
        rows = table[(table["interval"] > start + 1e-6) & (table["interval"] <= stop + 1e-6)]
        rows = rows.sort_values("time")
        steps = [int((t - start) / self.dt) for t in rows["time"]]
        steps = [self.steps[round(s * self.dt, 4)] for s in steps]
        ids = [self.ids[unit] for unit in rows["id"]]
        return ids[: BLOCK - 2], steps[: BLOCK - 2]

    def __getitem__(self, index):
        stop = self.times[index]
        out = {}
        for prefix, low, high in (
            ("", stop - self.length, stop),
            ("past_", stop - self.length - self.history, stop - self.length),
        ):
            for key, values in zip(("id", "step"), self.tokens(low, high), strict=True):
                values = values if prefix else [SOS, *values, EOS]
                padded = values + [PAD] * (BLOCK - len(values))
                out[prefix + key] = torch.tensor(padded, dtype=torch.long)
        return out
