from . import cache
from .image_text import late_fusion, multimodal
from .language_models import language
from .surprisal_of_words import surprisal
from .vision_models import vision
from .vision_preprocessing import Preprocessing

__all__ = ["Preprocessing", "cache", "language", "late_fusion", "multimodal", "surprisal", "vision"]
