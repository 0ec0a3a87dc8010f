"""How well one set of measurements predicts another: arrays in, labelled scores out.

Sub-modules and functions load on first use, so ``import neurokit.alignment`` is light.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
