"""Representational similarity: dissimilarity matrices, their agreement, and how sure it is.

Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4. Comparisons, ceilings and
bootstrap follow Nili et al. (2014) and Schütt et al. (2023).
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
