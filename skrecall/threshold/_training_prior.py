"""Which class frequencies a classifier was really trained on, samplers and class weights included.

The chain of an estimator runs through pipelines (to their last step) and searches (to what they
search) down to one classifier. A recorder step before that classifier counts the labels that reach
it, so that the prior is seen, not derived from the samplers' parameters.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline as SamplerPipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

# Copies, subsets, and points between neighbours of one class: its density stays what it was, the
# last of the three approximately.
_KEEP_DENSITIES = (RandomOverSampler, RandomUnderSampler, SMOTE)

_RECORDER = "record_labels_of_training"

_STATE_THE_PRIOR = (
    "State it with training_prior: 'balanced' where classes are made equal, or one share per class."
)


class _LabelRecorder(BaseEstimator):
    """A sampler step that changes nothing and counts the labels that pass.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels seen.
    counts_ : ndarray of shape (n_classes,)
        How many of each.
    """

    def fit(self, X: Any, y: NDArray) -> Self:
        """Count the labels.

        Parameters
        ----------
        X : array-like
            Not looked at.
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        self : object
            The same step.
        """
        self.classes_, self.counts_ = np.unique(np.asarray(y), return_counts=True)
        return self

    def fit_resample(self, X: Any, y: NDArray) -> tuple[Any, NDArray]:
        """Count the labels and return what was given.

        Parameters
        ----------
        X : array-like
            Samples.
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        X, y : array-like
            The same.
        """
        self.fit(X, y)
        return X, y


def _is_search(estimator: Any) -> bool:
    return hasattr(estimator, "estimator") and (
        hasattr(estimator, "param_grid") or hasattr(estimator, "param_distributions")
    )


def chain(estimator: BaseEstimator, *, fitted: bool = False) -> Iterator[BaseEstimator]:
    """Yield an estimator, and what it hands the training data to, down to one classifier.

    Parameters
    ----------
    estimator : estimator
        The outermost one.
    fitted : bool, default=False
        Follow a search to the estimator it chose, not to the one it was given.

    Yields
    ------
    estimator : estimator
        Pipelines and searches, then the classifier.
    """
    yield estimator
    if isinstance(estimator, Pipeline):
        yield from chain(estimator.steps[-1][1], fitted=fitted)
    elif _is_search(estimator):
        yield from chain(
            estimator.best_estimator_ if fitted else estimator.estimator, fitted=fitted
        )


def classifier_of(estimator: BaseEstimator, *, fitted: bool = False) -> BaseEstimator:
    """Return the classifier at the end of a chain.

    Parameters
    ----------
    estimator : estimator
        The outermost one.
    fitted : bool, default=False
        See `chain`.

    Returns
    -------
    classifier : estimator
        What the training data reach last.
    """
    *_, classifier = chain(estimator, fitted=fitted)
    return classifier


def samplers_of(estimator: BaseEstimator) -> list[Any]:
    """Return every sampler among an estimator's parameters, a wrapped one in place of its wrapper.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    samplers : list of sampler
        The recorder is left out.
    """
    if isinstance(estimator, FrozenEstimator):
        return samplers_of(estimator.estimator)
    found = [v for v in estimator.get_params(deep=True).values() if hasattr(v, "fit_resample")]
    return [
        sampler
        for sampler in found
        if not isinstance(sampler, _LabelRecorder)
        and not hasattr(getattr(sampler, "sampler", None), "fit_resample")
    ]


def check_densities_kept(estimator: BaseEstimator) -> None:
    """Refuse samplers that change what the samples of a class look like.

    Parameters
    ----------
    estimator : estimator
        With all its parameters.

    Raises
    ------
    ValueError
        If a sampler is not known to leave the density within each class as it is.
    """
    for sampler in samplers_of(estimator):
        if not isinstance(sampler, _KEEP_DENSITIES):
            raise ValueError(
                f"{type(sampler).__name__} chooses or makes samples by where they lie, so the "
                "samples of a class no longer look as they did, and no change of prior undoes "
                "that: calibrate with CalibratedClassifierCV around the Pipeline instead, use a "
                "random sampler or SMOTE, or pass allow_density_change=True to correct the prior "
                "alone."
            )


def _hides_prior(name: str, value: Any, *, own: bool) -> bool:
    """Return whether a parameter of a classifier changes the prior where it cannot be counted."""
    match name:
        case "sampling_strategy":
            return True
        case "class_weight":
            return value is not None and not own
        case "scale_pos_weight":
            return value is not None and value != 1
        case "is_unbalance":
            return bool(value)
        case "priors" | "class_prior":
            return value is not None
        case "fit_prior":
            return not value
    return hasattr(value, "fit_resample")


def check_prior_seen(estimator: BaseEstimator) -> None:
    """Refuse a classifier whose training prior cannot be seen from outside.

    Parameters
    ----------
    estimator : estimator
        The outermost one, before or after `fit`.

    Raises
    ------
    ValueError
        If the classifier at the end of the chain is fitted already, or resamples or reweighs
        inside.
    """
    classifier = classifier_of(estimator)
    name = type(classifier).__name__
    if isinstance(classifier, FrozenEstimator):
        raise ValueError(f"The prior that a fitted estimator saw is not known. {_STATE_THE_PRIOR}")
    if isinstance(classifier, CalibratedClassifierCV):
        return
    for parameter, value in {"": classifier, **classifier.get_params(deep=True)}.items():
        if getattr(value, "_sets_own_prior", False):
            raise ValueError(
                f"{type(value).__name__} draws or makes rows for each of its members, where their "
                f"prior cannot be counted. {_STATE_THE_PRIOR}"
            )
        path, _, last = parameter.rpartition("__")
        if _hides_prior(last, value, own=not path):
            raise ValueError(
                f"{name} sets its own prior by {parameter}={value!r}, where it cannot be counted. "
                f"{_STATE_THE_PRIOR}"
            )


def insert_recorders(estimator: BaseEstimator) -> None:
    """Put a recorder before the last step of every pipeline of the chain that may resample.

    Parameters
    ----------
    estimator : estimator
        Not fitted; changed in place.
    """
    for part in chain(estimator):
        if isinstance(part, SamplerPipeline):
            part.steps = [*part.steps[:-1], (_RECORDER, _LabelRecorder()), part.steps[-1]]


def remove_recorders(estimator: BaseEstimator, counts: NDArray) -> NDArray:
    """Take the recorders out of a fitted chain, and return what the last one counted.

    Parameters
    ----------
    estimator : estimator
        Fitted; changed in place.
    counts : ndarray of shape (n_classes,)
        How often each label was given to it.

    Returns
    -------
    counts : ndarray of shape (n_classes,)
        How often each label reached the classifier.

    Raises
    ------
    ValueError
        If a search has put a pipeline with samplers where none, or another, was.
    """
    for fitted in (True, False):
        for part in chain(estimator, fitted=fitted):
            if not isinstance(part, SamplerPipeline):
                continue
            recorder = dict(part.steps).get(_RECORDER)
            part.steps = [step for step in part.steps if step[0] != _RECORDER]
            if fitted and recorder is not None:
                counts = recorder.counts_
            elif fitted and samplers_of(part):
                raise ValueError(
                    "The search chose a Pipeline with samplers from its grid, and the labels that "
                    f"reach the end of that one were not counted. {_STATE_THE_PRIOR} Or let the "
                    "grid choose the steps of one Pipeline."
                )
    return counts


def weight_of_classifier(estimator: BaseEstimator, params: Mapping[str, Any]) -> Any:
    """Return the sample weights among fit parameters that reach the end of a chain.

    Parameters
    ----------
    estimator : estimator
        The outermost one.
    params : mapping
        Its fit parameters: those of a pipeline's step have its name before them, or are routed.

    Returns
    -------
    sample_weight : array-like of shape (n_samples,) or None
        None where there are none.
    """
    steps = [part.steps[-1][0] for part in chain(estimator) if isinstance(part, Pipeline)]
    return params.get("__".join([*steps, "sample_weight"]), params.get("sample_weight"))


def weighted_prior(
    classifier: BaseEstimator, classes: NDArray, counts: NDArray, *, weighted: bool
) -> NDArray[np.float64]:
    """Return the prior of counted labels, reweighed as the classifier's `class_weight` says.

    A classifier that is trained by more than class weights says so itself, by ``prior_factor_``.

    Parameters
    ----------
    classifier : estimator
        The classifier at the end of the chain, fitted.
    classes : ndarray of shape (n_classes,)
        Labels.
    counts : ndarray of shape (n_classes,)
        How often, or with which total weight, each was seen.
    weighted : bool
        Whether sample weights were given.

    Returns
    -------
    prior : ndarray of shape (n_classes,)
        Sums to 1.

    Raises
    ------
    ValueError
        If class weights are balanced and sample weights given, as estimators differ in what they
        balance then; or if the classifier knows that its prior cannot be undone.
    """
    if hasattr(classifier, "prior_factor_"):
        if classifier.prior_factor_ is None:
            raise ValueError(
                f"{type(classifier).__name__} was trained with a loss, a sampler, late weights, "
                "chunks or a teacher that leave no prior to undo. Calibrate with "
                "CalibratedClassifierCV instead, or state what it amounts to by training_prior."
            )
        counts = counts * classifier.prior_factor_
        return counts / counts.sum()
    class_weight = getattr(classifier, "class_weight", None)
    if isinstance(class_weight, str):  # "balanced", or "balanced_subsample" of forests
        if weighted:
            raise ValueError(
                f"class_weight={class_weight!r} and sample_weight are multiplied, and what becomes "
                f"of the prior depends on the estimator. {_STATE_THE_PRIOR}"
            )
        counts = np.ones(len(classes))
    elif class_weight is not None:
        counts = counts * np.array([class_weight.get(label, 1.0) for label in classes.tolist()])
    return counts / counts.sum()
