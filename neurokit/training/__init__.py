"""One training loop for every model.

Functions load on first use, so ``import neurokit.training`` is light.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
