from . import alignment as alignment
from . import catalog as catalog
from . import connectivity as connectivity
from . import datasets as datasets
from . import demo as demo
from . import errors as errors
from . import models as models
from . import plotting as plotting
from . import preprocessing as preprocessing
from . import reports as reports
from . import runs as runs
from . import training as training
from . import windows as windows
from .recording import Recording as Recording
from .reports import report as report

__version__: str
