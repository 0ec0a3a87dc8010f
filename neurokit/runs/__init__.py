"""Recipes carried out: data read and prepared, a model trained, scored, and kept with its card."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
