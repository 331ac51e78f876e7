"""A student network that learns from labels and from what a teacher says of the samples."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import BaseCrossValidator, cross_val_predict
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skrecall.nn import SigmoidDistillationLoss, SoftmaxDistillationLoss
from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._label_votes import class_votes, label_votes
from skrecall.utils._sklearn import HasMethods, Interval, _fit_context

from ._base import BaseNetEstimator
from ._targets import ClassTargets

LOSSES_BY_NONLINEARITY = {"softmax": SoftmaxDistillationLoss, "sigmoid": SigmoidDistillationLoss}


def teacher_probabilities(proba: Any, teacher_classes: Any, targets: Any) -> NDArray[np.float32]:
    """Return what a teacher says, one column per output of the student, in its order.

    Parameters
    ----------
    proba : array-like, sparse or list of array-like
        What the teacher's `predict_proba` returned: of classes (n_samples, n_classes); of labels
        (n_samples, n_labels) or one array per label.
    teacher_classes : array-like, or list of array-like
        Its ``classes_``.
    targets : ClassTargets or LabelTargets
        What the student learns.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_outputs)
        Probabilities of the classes, or of each label.

    Raises
    ------
    ValueError
        If the two know different labels, there is not one probability for each, or one is NaN.
    """
    if isinstance(targets, ClassTargets):
        votes = class_votes(proba, teacher_classes, targets.classes)
    elif targets.container.classes is None:
        votes = label_votes(proba, teacher_classes, targets.n_outputs)
    else:  # one label, given as two classes
        votes = class_votes(proba, teacher_classes, np.unique(targets.classes))[:, -1:]
    if not np.isfinite(votes).all():
        raise ValueError(
            f"The teacher gave {np.sum(~np.isfinite(votes))} probabilities of {votes.size} that "
            "are NaN or infinite: mend it, or leave out those samples."
        )
    return votes.astype(np.float32)


def classes_taught(teacher_classes: Any, classes: NDArray[Any]) -> NDArray[Any]:
    """Return the classes of a student: those of its teacher, which `y` may lack.

    Parameters
    ----------
    teacher_classes : array-like of shape (n_teacher_classes,)
        Classes that the teacher knows.
    classes : ndarray of shape (n_classes,)
        Classes in `y`.

    Returns
    -------
    classes : ndarray of shape (n_teacher_classes,)
        Sorted.

    Raises
    ------
    ValueError
        If the teacher does not know one of those in `y`.
    """
    taught = np.unique(teacher_classes)
    strange = np.setdiff1d(classes, taught)
    if len(strange):
        raise ValueError(
            f"y holds {strange.tolist()[:5]}, which the teacher does not know: its classes are "
            f"{taught.tolist()}. Fit the teacher on samples of all classes."
        )
    return taught


@contextmanager
def _showing_flat_rows(teacher: BaseEstimator, X: Any) -> Iterator[None]:
    """Let a teacher of tables that refuses images or clips say how it can teach them."""
    try:
        yield
    except ValueError as error:
        if "Found array with dim" not in str(error):
            raise
        found = f"an array of shape {tuple(X.shape)}" if hasattr(X, "shape") else "images or clips"
        raise ValueError(
            f"The teacher {type(teacher).__name__} takes rows of a table, and X is {found}: pass "
            "flat rows, X.reshape(len(X), -1), to both, and set image_shape (of clips clip_shape) "
            "of the student, which reads them as images."
        ) from error


class DistilledClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Train a network on labels and on the probabilities of a teacher, softened by a temperature.

    The teacher says of every training sample how likely each class is. The student learns that
    beside the labels: a small network that comes close to a large model or an ensemble, or one that
    also learns from samples without labels, which the teacher alone describes [1]_.

    Parameters
    ----------
    teacher : classifier
        Any classifier with `predict_proba`. It is fitted on the training samples, unless it is a
        fitted one in a `sklearn.frozen.FrozenEstimator`, which may know classes that these lack. It
        takes the same `X` as the student.
    student : classifier
        A `CNNClassifier`, `MultilabelCNNClassifier` or `ImageSequenceClassifier`, of which a clone
        is trained; its own loss is that of the labels.
    temperature : float, default=2.0
        By what the logits of both are divided before they are compared; the higher, the more the
        unlikely classes count.
    alpha : float, default=0.5
        Share of the teacher in the loss, ``(1 - alpha) * labels + alpha * teacher``: 0 leaves the
        teacher out, 1 the labels.
    cv : int, cross-validation generator or iterable, default=None
        None takes the probabilities of the teacher for the samples it was fitted on, which are too
        sure where it knows them by heart, as forests and neighbours do. Otherwise they come from
        teachers fitted on the other folds. Not read where the teacher is frozen.
    random_state : int, RandomState instance or None, default=None
        Seeds what teacher and student leave unseeded.

    Attributes
    ----------
    teacher_ : classifier
        The teacher, fitted on all labelled samples.
    student_ : classifier
        The trained student, which predicts.
    classes_ : ndarray
        As those of the student.
    prior_factor_ : None
        The prior that a student of a teacher learns is not known.
    n_features_in_ : int
        Number of features that the student saw; for images, of values in one.
    feature_names_in_ : ndarray of str
        Names of the columns, if `X` was a DataFrame with string columns.

    See Also
    --------
    skrecall.nn.SoftmaxDistillationLoss : The loss for one label per sample.
    skrecall.nn.SigmoidDistillationLoss : The loss for several.

    Notes
    -----
    The teacher sees samples as they are, the student what its `augmentation` makes of them; where
    that mixes two samples, the loss mixes what the teacher says of the two. Clips of different
    lengths are passed as a list.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", NIPS
       Deep Learning and Representation Learning Workshop, 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> from skrecall.neural_network import CNNClassifier, DistilledClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> student = CNNClassifier(image_shape=(1, 8, 8), max_epochs=3, lr=0.005)
    >>> clf = DistilledClassifier(ExtraTreesClassifier(50), student, cv=3, random_state=0)
    >>> clf = clf.fit(X[:300], y[:300], X_unlabeled=X[300:1200])
    >>> bool(clf.score(X[1200:], y[1200:]) > 0.85)
    True
    """

    _parameter_constraints: dict = {
        "teacher": [HasMethods(["fit", "predict_proba"])],
        "student": [HasMethods(["fit", "predict_proba"])],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "cv": ["cv_object"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        teacher: BaseEstimator,
        student: BaseEstimator,
        *,
        temperature: float = 2.0,
        alpha: float = 0.5,
        cv: int | BaseCrossValidator | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.temperature = temperature
        self.alpha = alpha
        self.cv = cv
        self.random_state = random_state

    @property
    def _accept_unknown(self) -> bool:
        return getattr(self.student, "_accept_unknown", False)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        of_student = get_tags(self.student)
        tags.input_tags = of_student.input_tags
        tags.classifier_tags = of_student.classifier_tags
        tags.target_tags = of_student.target_tags
        return tags

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
    ) -> Self:
        """Fit the teacher, unless it is frozen, and train the student.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of clips
            Samples, as both teacher and student take them.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, as both take them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the labelled samples, for both; unlabeled ones weigh 1.
        X_unlabeled : array-like of shape (n_more_samples, ...), or list of clips, default=None
            Samples without labels, from which the student learns what the teacher says of them.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the student is no network of this package; if the teacher does not know all classes
            or labels, or its `fit` takes no weights; or if samples without labels are to be drawn
            by their label.
        """
        if not isinstance(self.student, BaseNetEstimator):
            raise ValueError(
                f"student is a {type(self.student).__name__}: it must be a CNNClassifier, "
                "MultilabelCNNClassifier or ImageSequenceClassifier, whose loss can be mixed with "
                "that of a teacher."
            )
        if X_unlabeled is not None and self.student.sampler is not None:
            raise ValueError(
                f"The student has sampler={self.student.sampler!r}, which draws samples by their "
                "label, and X_unlabeled has none: pass one of the two."
            )
        rng = None if self.random_state is None else check_random_state(self.random_state)
        teacher = clone_with_seed(self.teacher, rng)
        student = clone_with_seed(self.student, rng)
        student._validate_params()
        with warnings.catch_warnings(action="ignore"):  # it warns when it is trained
            targets = clone(student)._learn_targets(X, y)
        weights = self._teacher_weights(sample_weight)
        frozen = isinstance(teacher, FrozenEstimator)
        with _showing_flat_rows(teacher, X):
            if frozen or self.cv is None:
                proba = teacher.fit(X, y, **weights).predict_proba(X)
            else:
                proba = cross_val_predict(
                    teacher, X, y, cv=self.cv, method="predict_proba", params=weights
                )
                teacher.fit(X, y, **weights)
        kind = None
        if isinstance(targets, ClassTargets):
            student.classes_ = classes_taught(teacher.classes_, targets.classes)
            targets = kind = ClassTargets(student.classes_)
        said = teacher_probabilities(proba, teacher.classes_, targets)
        if X_unlabeled is not None:
            of_more = teacher.predict_proba(X_unlabeled)
            said = np.concatenate([said, teacher_probabilities(of_more, teacher.classes_, targets)])
        self.teacher_ = teacher
        self.student_ = student._fit(
            X,
            y,
            sample_weight,
            kind=kind,
            wrap_loss=partial(
                LOSSES_BY_NONLINEARITY[targets.nonlinearity],
                alpha=self.alpha,
                temperature=self.temperature,
            ),
            unlabeled=X_unlabeled,
            teacher=said,
        )
        self.prior_factor_ = None
        for name in ("classes_", "n_features_in_", "feature_names_in_", "label_names_"):
            if hasattr(student, name):
                setattr(self, name, getattr(student, name))
            elif hasattr(self, name):
                delattr(self, name)
        return self

    def _teacher_weights(self, sample_weight: ArrayLike | None) -> dict[str, ArrayLike]:
        if sample_weight is None or isinstance(self.teacher, FrozenEstimator):
            return {}
        if not has_fit_parameter(self.teacher, "sample_weight"):
            raise ValueError(
                f"The fit of the teacher {type(self.teacher).__name__} takes no sample_weight: "
                "leave the weights out, or fit the teacher before and pass "
                "FrozenEstimator(teacher)."
            )
        return {"sample_weight": sample_weight}

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the raw scores of the student.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of clips
            The samples.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
            The scores.
        """
        check_is_fitted(self)
        return self.student_.decision_function(X)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the student.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of clips
            The samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Columns in the order of ``classes_``; of labels, P(label = 1).
        """
        check_is_fitted(self)
        return self.student_.predict_proba(X)

    def predict(self, X: ArrayLike) -> Any:
        """Return the labels that the student predicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of clips
            The samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,), or indicator of shape (n_samples, n_labels)
            Labels.
        """
        check_is_fitted(self)
        return self.student_.predict(X)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the score of the student: accuracy, of several labels that of all at once.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of clips
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            Share of samples predicted right.
        """
        check_is_fitted(self)
        return self.student_.score(X, y, sample_weight)
