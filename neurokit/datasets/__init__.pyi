from .bids import read_bids as read_bids
from .fetch import fetch as fetch
from .loading import load as load
from .reading import read as read
from .shelf import info as info
from .shelf import list as list
