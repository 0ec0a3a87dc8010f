"""EEGFormer: spectra of EEG in a vocabulary of code words."""

from neurokit.models.eegformer.analysis import Explanation, explain
from neurokit.models.eegformer.anomaly import AnomalyDetector
from neurokit.models.eegformer.config import EEGFormerConfig
from neurokit.models.eegformer.decoding import prototypes, reconstruct
from neurokit.models.eegformer.likelihood import CodeLikelihood
from neurokit.models.eegformer.naive_bayes import NgramNaiveBayes
from neurokit.models.eegformer.network import EEGFormer, Reconstruction
from neurokit.models.eegformer.ngrams import CodeNgrams
from neurokit.models.eegformer.patterns import rank_patterns

__all__ = [
    "AnomalyDetector",
    "CodeLikelihood",
    "CodeNgrams",
    "EEGFormer",
    "EEGFormerConfig",
    "Explanation",
    "NgramNaiveBayes",
    "Reconstruction",
    "explain",
    "prototypes",
    "rank_patterns",
    "reconstruct",
]
