"""Naive Bayes on n-grams of codes."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.eegformer.ngrams import CodeNgrams

__all__ = ["NgramNaiveBayes"]


class NgramNaiveBayes:
    r"""Multinomial naive Bayes on n-grams of codes.

    .. math:: \log p(c \mid w) = \log p(c) + \sum_g N_{wg} \log p(g \mid c) + \text{const},
        \qquad p(g \mid c) = \frac{N_{cg} + \alpha}{\sum_h N_{ch} + \alpha V}

    as EEGFormer reads its codes (Chen et al. 2024, arXiv 2401.10278). One pass over sparse
    counts fits it; :math:`\alpha = 1` is Laplace's and less is Lidstone's smoothing.

    Parameters
    ----------
    n : int
        Longest n-gram.
    positional, per_channel : bool
        See :class:`CodeNgrams`.
    min_windows : int
        See :class:`CodeNgrams`.
    alpha : float
        Smoothing, above 0.

    Attributes
    ----------
    grams : CodeNgrams
        The vocabulary, after :meth:`fit`.
    classes : ndarray
        The labels met in training, sorted.
    log_prior : ndarray of shape (class,)
        In nats.
    log_likelihood : ndarray of shape (class, n-gram)
        In nats.

    Examples
    --------
    >>> codes = np.array([[[0, 0, 1]], [[0, 1, 0]], [[2, 2, 1]], [[2, 1, 2]]])
    >>> model = NgramNaiveBayes().fit(codes, ["rest", "rest", "task", "task"])
    >>> model.predict(codes).tolist()
    ['rest', 'rest', 'task', 'task']
    """

    def __init__(
        self,
        n: int = 1,
        *,
        positional: bool = False,
        per_channel: bool = False,
        min_windows: int = 1,
        alpha: float = 1.0,
    ) -> None:
        self.grams = CodeNgrams(
            n, positional=positional, per_channel=per_channel, min_windows=min_windows
        )
        self.alpha = arguments.positive("alpha", alpha)

    def fit(self, codes: ArrayLike, y: ArrayLike) -> Self:
        """Learn the vocabulary and the classes' frequencies of it.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Of training windows only.
        y : array-like, shape (window,)
            The class of each window.

        Returns
        -------
        NgramNaiveBayes
            Itself.

        Raises
        ------
        DataError
            If there is not one label a window, or fewer than two classes.

        Examples
        --------
        >>> NgramNaiveBayes().fit([[[0, 1]], [[1, 1]]], [0, 1]).log_prior.round(3)
        array([-0.693, -0.693])
        """
        counts = self.grams.fit(codes).transform(codes)
        labels = np.asarray(y)
        if labels.shape != (counts.shape[0],):
            raise DataError(
                f"Expected one label a window, shape ({counts.shape[0]},); got {labels.shape}."
            )
        self.classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        if len(self.classes) < 2:
            only = self.classes.tolist()[0]
            raise DataError(f"All windows are of one class, {only!r}; give two or more.")
        member = np.eye(len(self.classes))[index]
        total = (counts.T @ member).T + self.alpha
        self.log_prior = np.log(sizes / sizes.sum())
        self.log_likelihood = np.log(total) - np.log(total.sum(axis=1, keepdims=True))
        return self

    def predict_log_proba(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Return the log probability of each class.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Channels and patches as in training.

        Returns
        -------
        ndarray of shape (window, class)
            In nats. Naive Bayes is overconfident: good for ranks, not as a probability.

        Examples
        --------
        >>> model = NgramNaiveBayes().fit([[[0, 1]], [[1, 1]]], [0, 1])
        >>> np.exp(model.predict_log_proba([[[0, 0]]])).round(2)
        array([[0.8, 0.2]])
        """
        joint = self.grams.transform(codes) @ self.log_likelihood.T + self.log_prior
        top = joint.max(axis=1, keepdims=True)
        norm = top + np.log(np.exp(joint - top).sum(axis=1, keepdims=True))
        return np.asarray(joint - norm)

    def predict(self, codes: ArrayLike) -> NDArray[np.generic]:
        """Return the likeliest class of each window.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Channels and patches as in training.

        Returns
        -------
        ndarray of shape (window,)
            Labels.

        Examples
        --------
        >>> NgramNaiveBayes().fit([[[0, 1]], [[1, 1]]], [0, 1]).predict([[[0, 0]]])
        array([0])
        """
        return np.asarray(self.classes[self.predict_log_proba(codes).argmax(axis=1)])

    def posterior(self) -> NDArray[np.float64]:
        r"""Return :math:`p(\text{class} \mid \text{n-gram})` for classes of equal prior.

        Returns
        -------
        ndarray of shape (class, n-gram)
            Where every class is as likely as the next, an n-gram that tells nothing has
            one over the number of classes.

        Examples
        --------
        >>> model = NgramNaiveBayes().fit([[[0, 1]], [[1, 1]]], [0, 1])
        >>> model.posterior().round(2)
        array([[0.67, 0.4 ],
               [0.33, 0.6 ]])
        """
        likelihood = np.exp(self.log_likelihood)
        return np.asarray(likelihood / likelihood.sum(axis=0))
