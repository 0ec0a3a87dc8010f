"""Preprocessing: pure functions, thin over mne, nilearn and scipy.

Each takes a recording, returns a new one, and adds a line to its history.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
