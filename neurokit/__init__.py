"""A computational-neuroscience toolkit for brain data: ``import neurokit as nk``.

The road runs one way: read files into a :class:`~neurokit.Recording`, cut it into
windows, train a model on them, encode, score, report. Sub-packages load on first use.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
