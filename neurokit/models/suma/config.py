"""What a SUMA is made of."""

from __future__ import annotations

from dataclasses import dataclass

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["SUMAConfig"]


@dataclass(frozen=True)
class SUMAConfig:
    """Settings of :class:`~neurokit.models.SUMA`; the defaults are the paper's encoder.

    Parameters
    ----------
    vocabulary : int
        Number of tokens. Paper: 32,000 (the byte-pair tokens of Llama 2).
    width : int
        Features of a token. Paper: 4,096.
    n_heads : int
        Attention heads. Paper: 512, of 8 dimensions each.
    cycles : int
        How often the one block is applied. Paper: 2.
    std : float
        Standard deviation of the embedding and of all projections. Paper: 0.02.
    n_selected : int, optional
        How many of the ``2 * width`` units the language model reads. Paper: 4,096, by a
        localiser. By default all of them.
    decoder_blocks : int
        Trained Llama blocks on the selected units; with 0 there is no language model.
        Paper: 2 for language modelling.
    decoder_heads : int
        Their attention heads. Paper: 32.
    decoder_hidden : int
        Width of their gated layer. Paper: 11,008.
    seed : int
        Of all weights, and of the units that are selected until others are.

    Examples
    --------
    >>> SUMAConfig(vocabulary=100, width=64, n_heads=8).n_units
    128
    """

    vocabulary: int = 32_000
    width: int = 4096
    n_heads: int = 512
    cycles: int = 2
    std: float = 0.02
    n_selected: int | None = None
    decoder_blocks: int = 0
    decoder_heads: int = 32
    decoder_hidden: int = 11_008
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("vocabulary", "width", "n_heads", "cycles", "decoder_heads", "decoder_hidden"):
            arguments.whole(name, getattr(self, name), least=1)
        arguments.whole("decoder_blocks", self.decoder_blocks, least=0)
        arguments.whole("seed", self.seed, least=0)
        arguments.positive("std", self.std)
        if self.width % self.n_heads:
            raise DataError(
                f"width {self.width} does not divide into {self.n_heads} heads. The paper has "
                "heads of 8 dimensions: try n_heads=width // 8."
            )
        if arguments.whole("n_selected", self.n_read, least=1) > self.n_units:
            raise DataError(f"n_selected is {self.n_selected}, but there are {self.n_units} units.")

    @property
    def n_units(self) -> int:
        """Units of the encoder: two for each feature of a token."""
        return 2 * self.width

    @property
    def n_read(self) -> int:
        """Units that the language model reads."""
        return self.n_units if self.n_selected is None else self.n_selected
