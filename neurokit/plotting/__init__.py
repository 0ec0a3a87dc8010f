"""One figure a function, on matplotlib axes: data in, ``Axes`` out.

Colours and sizes come from :func:`style`; every function draws on the axes it is given, or
on new ones. Functions load on first use, so ``import neurokit.plotting`` is light.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
