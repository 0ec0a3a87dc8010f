"""What the models of stages 1 and 2 both hand on to the encoder inside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from neurokit.errors import DataError
from neurokit.models.duin.config import DuINConfig
from neurokit.models.duin.encoder import DuINEncoder
from neurokit.models.nn import Classifier, Pretrained

__all__ = ["EncoderModel"]


class EncoderModel(Pretrained):
    """A model around a :class:`DuINEncoder`, which represents windows and can be fine-tuned.

    Parameters
    ----------
    config : DuINConfig
        Settings.

    Attributes
    ----------
    encoder : DuINEncoder
        What stage 3 takes over.
    """

    config_class = DuINConfig
    config: DuINConfig
    encoder: DuINEncoder

    def __init__(self, config: DuINConfig) -> None:
        super().__init__(config)
        if config.shift:
            raise DataError(
                f"shift is {config.shift}, expected 0 in stages 1 and 2, where waveforms and codes "
                "would not move with the windows. The classifier of stage 3 shifts by itself."
            )

    def represent(self, batch: dict[str, Tensor]) -> Tensor:
        """Return what the encoder makes of windows of which nothing is hidden or quantised.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel) in z-scores; with several subjects ``subject``.

        Returns
        -------
        Tensor, shape (window, token, feature)
            Tokens in their context.

        Examples
        --------
        >>> from neurokit.models import DuIN
        >>> model = DuIN(DuINConfig.preset("tiny"))
        >>> model.represent(model.example()).shape
        torch.Size([2, 40, 80])
        """
        return self.encoder(batch)

    def classifier(self, classes: Sequence[str] | int, **options: Any) -> Classifier:
        """Make a classifier of windows, stage 3, on a copy of the encoder.

        Parameters
        ----------
        classes : sequence of str, or int
            Names of the classes, in the order of the labels; or how many there are.
        **options
            Those of :meth:`DuINEncoder.classifier`.

        Returns
        -------
        Classifier
            To be trained on windows with labels; this model stays as it is.

        Examples
        --------
        >>> from neurokit.models import DuIN
        >>> model = DuIN(DuINConfig.preset("tiny")).classifier(["rest", "speech"])
        >>> model(model.example()).shape
        torch.Size([2, 2])
        """
        return self.encoder.classifier(classes, **options)

    def check(self, win: Any) -> None:
        """Raise one clear error if windows do not fit the model.

        Parameters
        ----------
        win : Windows
            What the model is to be trained on or applied to.

        Raises
        ------
        DataError, UnknownNameError
            As :meth:`DuINEncoder.check` does.

        Examples
        --------
        >>> import neurokit as nk
        >>> rec = nk.Recording.from_array([[0.5]] * 400, 1000, stream="ieeg", units="z")
        >>> win = nk.windows.sliding(rec, stream="ieeg", length=0.2)
        >>> nk.models.DuIN(DuINConfig.preset("tiny", sampling_rate=1000)).check(win)
        """
        self.encoder.check(win)

    def example(self) -> dict[str, Tensor]:
        """Return a small batch that is always the same.

        Returns
        -------
        dict of Tensor
            ``x`` and ``subject``.

        Examples
        --------
        >>> from neurokit.models import DuIN
        >>> DuIN(DuINConfig.preset("tiny")).example()["x"].shape
        torch.Size([2, 4000, 1])
        """
        return self.encoder.example()
