"""Readers, the catalogue of public data sets, and verified downloads."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
