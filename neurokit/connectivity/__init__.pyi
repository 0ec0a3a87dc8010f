from .dynamic import dynamic_fc as dynamic_fc
from .dynamic import static_fc as static_fc

__all__ = ["dynamic_fc", "static_fc"]
