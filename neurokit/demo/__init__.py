"""Five questions asked of the embedded recordings, each answered with what a sceptic needs.

Modules and functions load on first use, so ``import neurokit.demo`` is light.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
