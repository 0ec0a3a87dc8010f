from .document import report
from .finding import Finding, Outcome

__all__ = ["Finding", "Outcome", "report"]
