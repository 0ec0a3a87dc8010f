"""The HTML report: one self-contained file that says what was found and how far to trust it."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
