"""The untrained encoder of SUMA, and the language model that may be trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.nn import Attention, LlamaBlock, Pretrained, attention_mask
from neurokit.models.suma.checks import check_tokens, layer_names
from neurokit.models.suma.config import SUMAConfig
from neurokit.models.suma.objective import next_token_loss, surprisal_bits
from neurokit.models.suma.tokens import tokenize

__all__ = ["SUMA"]

TOKENS_AT_ONCE = 4096


class SUMA(Pretrained):
    """Shallow untrained multi-head attention (AlKhamissi et al. 2024, arXiv 2406.15109).

    An embedding and one block, x + Attention(RMSNorm(x)), with weights from N(0, 0.02²) that
    stay as drawn. The block has causal attention of very many heads, no positions and no
    feed-forward layer, and is applied ``cycles`` times. In its last cycle it has two units
    for each feature of a token, as in the authors' code: the normalised input and the output
    of attention. A language localiser selects among them; see :meth:`select`.

    With ``decoder_blocks``, Llama blocks and a language-model head are trained on the
    selected units, while the encoder stays frozen.

    The second cycle adds little: units at full width predict the language network of Tuckute et
    al. 2024 (shuffled folds, tokens of SmolLM2) with a mean r over five seeds of .173 after two
    cycles and .160 after one, where one seed differs from another by as much and other folds
    give a gain of .00 to .02. On contiguous folds it is .12 after .11 (four seeds). A trained
    SmolLM2 reaches .35 and .30.

    Parameters
    ----------
    config : SUMAConfig
        Settings.

    Examples
    --------
    >>> model = SUMA(SUMAConfig(vocabulary=50, width=64, n_heads=8))
    >>> model.units(torch.tensor([[3, 1, 4, 1]])).shape
    (1, 128)
    """

    config_class = SUMAConfig
    config: SUMAConfig
    selected: Tensor

    def __init__(self, config: SUMAConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.norm = nn.RMSNorm(config.width, eps=1e-6)
        self.attention = Attention(config.width, config.n_heads)
        self.register_buffer("selected", _first_selection(config))
        if config.decoder_blocks:
            size = (config.n_read, config.decoder_heads, config.decoder_hidden)
            self.decoder = nn.ModuleList(LlamaBlock(*size) for _ in range(config.decoder_blocks))
            self.decoder_norm = nn.RMSNorm(config.n_read, eps=1e-6)
            self.head = nn.Linear(config.n_read, config.vocabulary, bias=False)
        self._draw()
        for part in (self.embedding, self.norm, self.attention):
            part.requires_grad_(False)

    def select(self, indices: ArrayLike) -> SUMA:
        """Choose the units that the language model reads.

        Parameters
        ----------
        indices : array-like of int, shape (n_selected,)
            Columns of :meth:`units`, such as those of a language localiser. Until then they
            are random ones, the control.

        Returns
        -------
        SUMA
            Itself.

        Raises
        ------
        DataError
            Another number of units than the configuration has, twice the same, or none such.

        Examples
        --------
        >>> model = SUMA(SUMAConfig(vocabulary=50, width=64, n_heads=8, n_selected=2))
        >>> model.select([5, 100]).selected
        tensor([  5, 100])
        """
        wanted = np.unique(np.asarray(indices))
        size, limit = self.config.n_read, self.config.n_units
        if np.size(indices) != size or wanted.size != size or wanted.dtype.kind not in "iu":
            raise DataError(
                f"Expected {size} different whole numbers, as config.n_selected says; got "
                f"{np.size(indices)}, {wanted.size} of them different."
            )
        if wanted[0] < 0 or wanted[-1] >= limit:
            raise DataError(f"Units are numbered 0 to {limit - 1}; got {wanted[0]}–{wanted[-1]}.")
        self.selected.copy_(torch.from_numpy(wanted.astype(np.int64)))
        return self

    @torch.no_grad()
    def states(self, input_ids: Tensor, mask: Tensor | None = None) -> tuple[list[Tensor], Tensor]:
        """Run the encoder.

        Parameters
        ----------
        input_ids : Tensor of int, shape (batch, time)
            Tokens.
        mask : Tensor of bool, shape (batch, time), optional
            True where there is a token; padding may be on either side.

        Returns
        -------
        layers : list of Tensor, shape (batch, time, width)
            The embedding, then the output of each cycle.
        units : Tensor, shape (batch, time, 2 * width)
            The normalised input and the output of attention in the last cycle.

        Raises
        ------
        DataError
            Tokens that are no whole numbers below ``vocabulary``, or another shape.

        Examples
        --------
        >>> model = SUMA(SUMAConfig(vocabulary=50, width=64, n_heads=8))
        >>> layers, units = model.states(torch.tensor([[3, 1, 4]]))
        >>> len(layers), units.shape
        (3, torch.Size([1, 3, 128]))
        """
        check_tokens(input_ids, mask, self.config.vocabulary)
        allowed = attention_mask(mask)
        layers = [self.embedding(input_ids)]
        for _ in range(self.config.cycles):
            normed = self.norm(layers[-1])
            attended = self.attention(normed, allowed)
            layers.append(layers[-1] + attended)
        return layers, torch.cat([normed, attended], dim=-1)

    def units(self, input_ids: Tensor, mask: Tensor | None = None) -> NDArray[np.float32]:
        """Return all units at the last token of each text.

        Parameters
        ----------
        input_ids : Tensor of int, shape (batch, time)
            Tokens.
        mask : Tensor of bool, shape (batch, time), optional
            True where there is a token.

        Returns
        -------
        ndarray, shape (batch, 2 * width)
            In single precision. A localiser chooses among its columns.

        Examples
        --------
        >>> model = SUMA(SUMAConfig(vocabulary=50, width=64, n_heads=8))
        >>> short, padded = torch.tensor([[3, 1]]), torch.tensor([[0, 3, 1]])
        >>> mask = torch.tensor([[False, True, True]])
        >>> bool(np.allclose(model.units(short), model.units(padded, mask), atol=1e-5))
        True
        """
        units = self.states(input_ids, mask)[1]
        return units[torch.arange(len(units)), _last(input_ids, mask)].float().cpu().numpy()

    def represent(
        self,
        texts: Sequence[str],
        tokenizer: Any,
        layers: str | int | Sequence[str | int] = "all",
        pooling: str = "last",
    ) -> dict[str | int, xr.DataArray]:
        """Represent texts, one array a layer.

        Parameters
        ----------
        texts : sequence of str
            Texts.
        tokenizer : tokenizers.Tokenizer or transformers tokenizer
            With at most ``vocabulary`` tokens.
        layers : {"all"}, int, "units", or a sequence of them
            0 is the embedding, n the output of cycle n, ``"units"`` the units.
        pooling : {"last", "mean"}
            The last token, as in the paper, or the mean over tokens.

        Returns
        -------
        dict of DataArray, dims (presentation, feature)
            In the order asked for, in single precision.

        Raises
        ------
        DataError
            A layer that does not exist, or a text without tokens.

        Examples
        --------
        >>> def spell(texts):
        ...     return {"input_ids": [[ord(letter) for letter in text] for text in texts]}
        >>> model = SUMA(SUMAConfig(vocabulary=128, width=64, n_heads=8))
        >>> x = model.represent(["a dog", "two dogs"], spell)
        >>> list(x), x["units"].sizes
        ([0, 1, 2, 'units'], Frozen({'presentation': 2, 'feature': 128}))
        """
        arguments.known("pooling", pooling, ("last", "mean"))
        ids = tokenize(texts, tokenizer)
        names = layer_names(layers, self.config.cycles)
        sizes = [self.config.n_units if n == "units" else self.config.width for n in names]
        out = {
            name: np.empty((len(ids), size), dtype=np.float32)
            for name, size in zip(names, sizes, strict=True)
        }
        for rows in _batches([len(row) for row in ids]):
            tokens = torch.tensor([ids[row] for row in rows], device=self.embedding.weight.device)
            states, units = self.states(tokens)
            for name, array in out.items():
                found = units if name == "units" else states[int(name)]
                pooled = found[:, -1] if pooling == "last" else found.mean(dim=1)
                array[rows] = pooled.float().cpu().numpy()
        attrs = {"model": "SUMA", "pooling": pooling, "untrained": 1, "seed": self.config.seed}
        return {
            name: xr.DataArray(
                array, dims=("presentation", "feature"), attrs={**attrs, "layer": name}
            )
            for name, array in out.items()
        }

    def forward(self, input_ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Predict the next token at each token.

        Parameters
        ----------
        input_ids : Tensor of int, shape (batch, time)
            Tokens.
        mask : Tensor of bool, shape (batch, time), optional
            True where there is a token.

        Returns
        -------
        Tensor, shape (batch, time, vocabulary)
            Logits.

        Raises
        ------
        DataError
            If the model has no decoder.

        Examples
        --------
        >>> settings = SUMAConfig(50, 64, 8, decoder_blocks=1, decoder_heads=4, decoder_hidden=64)
        >>> SUMA(settings)(torch.tensor([[3, 1, 4]])).shape
        torch.Size([1, 3, 50])
        """
        if not self.config.decoder_blocks:
            raise DataError(
                "This SUMA has no decoder, and so no language model. Make one with "
                "SUMAConfig(decoder_blocks=2)."
            )
        x = self.states(input_ids, mask)[1][..., self.selected]
        allowed = attention_mask(mask)
        for block in self.decoder:
            x = block(x, allowed)
        return self.head(self.decoder_norm(x))

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute what training minimises.

        Parameters
        ----------
        batch : dict of Tensor
            ``input_ids`` (batch, time), and ``mask`` where there is padding.

        Returns
        -------
        dict of Tensor
            ``loss``, the mean cross-entropy of the next token in nats.

        Examples
        --------
        >>> settings = SUMAConfig(50, 64, 8, decoder_blocks=1, decoder_heads=4, decoder_hidden=64)
        >>> sorted(SUMA(settings).loss({"input_ids": torch.tensor([[3, 1, 4]])}))
        ['loss']
        """
        ids, mask = batch["input_ids"], batch.get("mask")
        return {"loss": next_token_loss(self(ids, mask), ids, mask)}

    def example(self) -> dict[str, Tensor]:
        """Make a small batch, always the same one.

        Returns
        -------
        dict of Tensor
            ``input_ids`` of one text.

        Examples
        --------
        >>> SUMA(SUMAConfig(vocabulary=5, width=64, n_heads=8)).example()["input_ids"]
        tensor([[0, 1, 2, 3, 4, 0, 1, 2]])
        """
        return {"input_ids": torch.arange(8)[None] % self.config.vocabulary}

    def respond(self, batch: dict[str, Tensor]) -> Tensor:
        """Compute all units, or logits where there is a decoder; compared on load.

        Parameters
        ----------
        batch : dict of Tensor
            ``input_ids`` (batch, time).

        Returns
        -------
        Tensor, shape (batch, time, 2 * width) or (batch, time, vocabulary)
            Of each token.

        Examples
        --------
        >>> model = SUMA(SUMAConfig(vocabulary=50, width=64, n_heads=8))
        >>> model.respond(model.example()).shape
        torch.Size([1, 8, 128])
        """
        ids = batch["input_ids"]
        return self(ids) if self.config.decoder_blocks else self.states(ids)[1]

    @torch.no_grad()
    def surprisal(self, input_ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Say how unexpected each token is to the language model.

        Parameters
        ----------
        input_ids : Tensor of int, shape (batch, time)
            Tokens.
        mask : Tensor of bool, shape (batch, time), optional
            True where there is a token.

        Returns
        -------
        Tensor, shape (batch, time)
            Minus the base-2 logarithm of its probability given the tokens before, in bits;
            NaN for the first token and for padding.

        Examples
        --------
        >>> settings = SUMAConfig(50, 64, 8, decoder_blocks=1, decoder_heads=4, decoder_hidden=64)
        >>> SUMA(settings).surprisal(torch.tensor([[3, 1, 4]])).isnan().tolist()
        [[True, False, False]]
        """
        return surprisal_bits(self(input_ids, mask), input_ids, mask)

    def _draw(self) -> None:
        """Draw all weights from the configuration's seed, whatever the global one is."""
        generator = torch.Generator().manual_seed(self.config.seed)
        for name, parameter in self.named_parameters():
            if "norm" not in name:
                nn.init.normal_(parameter, std=self.config.std, generator=generator)


def _first_selection(config: SUMAConfig) -> Tensor:
    """Return all units, or random ones where there are more than the language model reads."""
    order = np.random.default_rng(config.seed).permutation(config.n_units)
    return torch.from_numpy(np.sort(order[: config.n_read]))


def _last(input_ids: Tensor, mask: Tensor | None) -> Tensor:
    """Return the position of the last token of each row."""
    time = input_ids.shape[1]
    if mask is None:
        return torch.full((len(input_ids),), time - 1, device=input_ids.device)
    return time - 1 - mask.flip(1).int().argmax(dim=1)


def _batches(lengths: list[int]) -> list[list[int]]:
    """Gather texts of equal length, so that nothing is padded."""
    by_length: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        by_length.setdefault(length, []).append(row)
    return [
        rows[first : first + size]
        for length, rows in sorted(by_length.items())
        for size in [max(1, TOKENS_AT_ONCE // length)]
        for first in range(0, len(rows), size)
    ]
