"""Models of brain and behaviour: one folder a family, the same verbs in each.

Sub-modules and classes load on first use, so ``import neurokit.models`` is light.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
