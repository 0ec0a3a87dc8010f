"""What models make of stimuli: one labelled array (presentation, feature) per layer.

Sub-modules and functions load on first use, so importing this package is light.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
