"""Du-IN computed step by step as its published code is laid out, on the weights of one of ours.

This is not the authors' code but that structure rewritten, so that both can run in one process:
time before channels, permuted around each convolution; softmax attention by hand; distances to
all codes and one-hot averages; the encoder run once for each of the two masks; logits of all
tokens against one-hot labels.
"""

import torch
import torch.nn.functional as F
from torch import nn

from neurokit.models.duin import shift_windows


def convolution(layer, x):
    """Run a convolution on (batch, time, channel)."""
    x = F.conv1d(x.permute(0, 2, 1), layer.weight, layer.bias, layer.stride, layer.padding)
    return x.permute(0, 2, 1).contiguous()


def batch_norm(layer, x):
    """Run a batch norm on (batch, time, channel)."""
    statistics = layer.running_mean, layer.running_var
    scale = layer.weight, layer.bias
    x = F.batch_norm(x.permute(0, 2, 1), *statistics, *scale, layer.training, eps=layer.eps)
    return x.permute(0, 2, 1).contiguous()


def attention(layer, x):
    n, time, _ = x.shape
    qkv = layer.qkv(x).reshape(n, time, 3, layer.n_heads, -1).permute(2, 0, 3, 1, 4)
    q, k, v = layer.query_norm(qkv[0]), layer.key_norm(qkv[1]), qkv[2]
    scores = (q * layer.head_dim**-0.5) @ k.transpose(-2, -1)
    weights = F.dropout(scores.softmax(dim=-1), layer.dropout, layer.training)
    return layer.output((weights @ v).transpose(1, 2).reshape(n, time, -1))


def transformer(timed, x):
    x = x + timed.times[: x.shape[1]]
    for block in timed.blocks.blocks:
        x = block.attention_norm(x + attention(block.attention, x))
        x = block.feed_norm(x + block.feed(x))
    return x


def tokens(encoder, x):
    """Spatial map, then convolutions over each patch: (window, time, channel) to tokens."""
    n, time, _ = x.shape
    spatial, tokenizer = encoder.spatial, encoder.tokenizers[0]
    weight = spatial.weight[torch.zeros(n, dtype=torch.long)]
    x = x @ weight.transpose(1, 2) + spatial.bias
    x = x.reshape(n * time // tokenizer.patch, tokenizer.patch, -1)
    for layer in tokenizer.layers:
        x = (convolution if isinstance(layer, nn.Conv1d) else batch_norm)(layer, x)
    # Our features of a token are channel by channel.
    return x.permute(0, 2, 1).reshape(n, time // tokenizer.patch, -1)


def encode(encoder, x):
    return transformer(encoder.transformer, tokens(encoder, x))


def waveform(decoder, x):
    """Transposed convolutions, also where the stride is one."""
    for layer in decoder.layers:
        x = x.permute(0, 2, 1)
        if isinstance(layer, nn.Conv1d):
            weight = layer.weight.transpose(0, 1).flip(2)
            x = F.conv_transpose1d(x, weight, layer.bias, padding=layer.padding)
        else:
            x = layer(x)
        x = x.permute(0, 2, 1).contiguous()
    return x


class Quantizer:
    """Codes at the smallest squared distance, and averages by products with one-hot rows."""

    def __init__(self, quantizer):
        self.weight = quantizer.codebook.clone()
        self.counts = quantizer.store.counts.clone()
        self.ema, self.commitment = quantizer.store.ema, quantizer.commitment

    def __call__(self, z, training):
        flat = F.normalize(z, dim=-1).reshape(-1, z.shape[-1])
        distance = (
            flat.square().sum(dim=1, keepdim=True)
            + self.weight.square().sum(dim=1)
            - 2 * flat @ self.weight.T
        )
        indices = distance.argmin(dim=1)
        chosen = F.embedding(indices, self.weight)
        if training:
            self.follow(flat.detach(), indices)
        loss = self.commitment * F.mse_loss(chosen.detach(), flat)
        chosen = flat + (chosen - flat).detach()
        return chosen.reshape(z.shape), indices.reshape(z.shape[:-1]), loss

    def follow(self, flat, indices):
        rows = F.one_hot(indices, len(self.weight)).type(flat.dtype)
        n = rows.sum(dim=0)
        self.counts.mul_(self.ema).add_(n, alpha=1 - self.ema)
        mean = F.normalize((flat.T @ rows / n.clamp(min=1)).T, dim=-1)
        mean = torch.where((n == 0)[:, None], self.weight, mean)
        self.weight.copy_(F.normalize(self.ema * self.weight + (1 - self.ema) * mean, dim=-1))


class VQVAE(nn.Module):
    """Stage 1."""

    def __init__(self, ours):
        super().__init__()
        self.ours = ours
        self.quantizer = Quantizer(ours.quantizer)

    def loss(self, batch):
        h = self.ours.down(encode(self.ours.encoder, batch["x"]))
        quantized, _, quantizer_loss = self.quantizer(h, self.training)
        x = waveform(
            self.ours.waveforms[0], transformer(self.ours.decoder, self.ours.up(quantized))
        )
        readout = self.ours.readout
        x = x @ readout.weight[torch.zeros(len(x), dtype=torch.long)].transpose(1, 2) + readout.bias
        return {"loss": F.mse_loss(x, batch["x"]) + quantizer_loss}


class MAE(nn.Module):
    """Stage 2."""

    def __init__(self, ours):
        super().__init__()
        self.ours = ours
        self.quantizer = Quantizer(ours.tokenizer.quantizer)

    def loss(self, batch, mask=None):
        with torch.no_grad():
            tokenizer = self.ours.tokenizer
            h = tokenizer.down(encode(tokenizer.encoder, batch["x"]))
            codes = self.quantizer(h, training=False)[1]
        if mask is None:
            order = torch.rand(codes.shape).argsort(dim=1)
            mask = order < round(codes.shape[1] * self.ours.config.mask_fraction)
        return {"loss": self.one(batch["x"], codes, mask) + self.one(batch["x"], codes, ~mask)}

    def one(self, x, codes, mask):
        encoder, head = self.ours.encoder, self.ours.head
        seen = torch.where(mask[..., None], self.ours.hidden_token, tokens(encoder, x))
        logits = head(transformer(encoder.transformer, seen))
        hidden = F.one_hot(codes, logits.shape[-1]).type(x.dtype)
        each = -(hidden * logits.log_softmax(dim=-1)).sum(dim=-1)
        return (each * mask).sum() / codes.numel()


class CLS(nn.Module):
    """Stage 3."""

    def __init__(self, ours):
        super().__init__()
        self.ours = ours

    def loss(self, batch):
        encoder, x = self.ours.backbone, batch["x"]
        x = (
            shift_windows(x, round(encoder.config.shift * x.shape[1]))
            if encoder.config.shift
            else x
        )
        logits = self.ours.head(encode(encoder, x).flatten(1))
        return {"loss": F.cross_entropy(logits, batch["label"])}
