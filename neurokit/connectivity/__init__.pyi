from .dynamic import dynamic_fc as dynamic_fc
from .dynamic import static_fc as static_fc
from .spiking import cooccurrence_pmi as cooccurrence_pmi
from .spiking import lagged_cross_correlation as lagged_cross_correlation
from .spiking import spike_correlation as spike_correlation
from .wiring import connection_auroc as connection_auroc
from .wiring import direction_accuracy as direction_accuracy
from .wiring import hub_recall as hub_recall
from .wiring import out_strength as out_strength

__all__ = [
    "connection_auroc",
    "cooccurrence_pmi",
    "direction_accuracy",
    "dynamic_fc",
    "hub_recall",
    "lagged_cross_correlation",
    "out_strength",
    "spike_correlation",
    "static_fc",
]
