"""Benchmarks: a definition in TOML, an assembly of responses, and a score a sceptic can read.

Sub-modules and functions load on first use, so importing this package is light.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
