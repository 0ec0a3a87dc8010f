"""Brain responses matched with the stimuli that evoked them, read from their published files."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
