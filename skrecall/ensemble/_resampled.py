"""What the ensembles that resample for every member share: targets, tags, routing, votes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    is_outlier_detector,
    is_regressor,
)
from sklearn.utils import get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from skrecall.resampling import ArraySampler
from skrecall.resampling._origins import fit_resample_with_origins, why_unknown
from skrecall.utils._checks import check_training_labels, check_weights
from skrecall.utils._features import check_features
from skrecall.utils._fitting import clone_with_seed, fit_on_rows
from skrecall.utils._label_votes import class_votes
from skrecall.utils._sklearn import (
    _check_method_params,
    _num_samples,
    _print_elapsed_time,
    _routing_enabled,
)


def sampler_for(sampler: Any, X: Any) -> Any:
    """Return a sampler that takes the samples: on images, one of tables in `ArraySampler`.

    Parameters
    ----------
    sampler : sampler object
        Unfitted.
    X : array-like of shape (n_samples, ...)
        Samples.

    Returns
    -------
    sampler : sampler object
        The same for samples of one dimension, and where its tags say that it takes more.
    """
    n_dimensions = X.ndim if hasattr(X, "ndim") else 1 + np.ndim(X[0])
    if n_dimensions <= 2 or get_tags(sampler).input_tags.three_d_array:
        return sampler
    return ArraySampler(sampler)


def resample(
    sampler: Any, X: Any, y: NDArray, params: dict[str, Any]
) -> tuple[Any, NDArray, dict[str, Any]]:
    """Resample rows, and the fit parameters that have one entry per row.

    Parameters
    ----------
    sampler : sampler object
        Fitted in place.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : ndarray of shape (n_samples,)
        Labels.
    params : dict
        Fit parameters of what is fitted on the new rows. A row between two others gets the mean of
        their entries.

    Returns
    -------
    X_new : array-like of shape (n_new, ...)
        Samples.
    y_new : ndarray of shape (n_new,)
        Labels.
    params : dict
        Fit parameters.

    Raises
    ------
    ValueError
        If there are such parameters and the sampler does not tell where rows come from, or entries
        that have no mean.
    """
    try:
        if not params:
            X_new, y_new, *_ = sampler.fit_resample(X, y)
            return X_new, y_new, {}
        X_new, y_new, origins = fit_resample_with_origins(sampler, X, y, {})
    except ValueError as error:
        labels, counts = np.unique(y, return_counts=True)
        found = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        error.add_note(f"{type(sampler).__name__} got {len(y)} rows, of the classes {found}.")
        raise
    if origins is None:
        raise ValueError(
            f"{sorted(params)} cannot follow the rows: {type(sampler).__name__} "
            f"{why_unknown(sampler)}"
        )
    if origins.ndim == 1:
        return X_new, y_new, _check_method_params(X, params, indices=origins)
    first, second = (_check_method_params(X, params, indices=origins[:, k]) for k in range(2))
    between = {}
    for name, value in params.items():
        if first[name] is value:  # it has no entry per row
            between[name] = value
            continue
        pair = np.asarray(first[name]), np.asarray(second[name])
        if pair[0].dtype.kind not in "iuf":
            raise ValueError(
                f"{type(sampler).__name__} makes rows between two others, and {name} holds "
                f"{pair[0].dtype} entries, which have no mean: use a sampler that selects rows."
            )
        between[name] = pair[0] / 2 + pair[1] / 2  # halved first: small integers would overflow
    return X_new, y_new, between


def balanced_rows(
    rows_of_class: list[NDArray[np.intp]], n_drawn: int, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Draw as many rows of each class, without replacement.

    Parameters
    ----------
    rows_of_class : list of ndarray of int
        The rows of each class; a class without any is left out.
    n_drawn : int
        How many of each; all where there are no more.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of int
        Class by class.
    """
    return np.concatenate(
        [
            rows if len(rows) <= n_drawn else rng.choice(rows, n_drawn, replace=False)
            for rows in rows_of_class
        ]
    )


def rarest_size(rows_of_class: list[NDArray[np.intp]]) -> int:
    """Return how many rows the rarest class has, of those that have any.

    Parameters
    ----------
    rows_of_class : list of ndarray of int
        The rows of each class.

    Returns
    -------
    n_rarest : int
        One at least.
    """
    return min(len(rows) for rows in rows_of_class if len(rows))


class BaseResampledEnsemble(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Clones of `estimator`, each fitted on rows that were drawn or made for it.

    A subclass implements `predict_proba`, and `_default_estimator` where `estimator` may be None.
    """

    estimator: Any
    verbose: int
    classes_: NDArray
    estimators_: list[Any]

    @property
    def _sets_own_prior(self) -> bool:
        """Whether members learn from other class frequencies than those of `y`."""
        return True

    def _default_estimator(self) -> BaseEstimator:
        raise NotImplementedError(f"{type(self).__name__} has no default estimator.")

    def _default_sampler(self) -> Any:
        return None

    @property
    def _inner(self) -> Any:
        return self._default_estimator() if self.estimator is None else self.estimator

    def _check_fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None, *, may_lack: bool = False
    ) -> tuple[Any, NDArray, NDArray[np.intp], list[NDArray[np.intp]]]:
        """Return samples, labels, the number of each row's class, and the rows of each class.

        Rows of weight zero are among those of no class. `may_lack` lets all be of one class.
        """
        if is_regressor(self._inner) or is_outlier_detector(self._inner):
            kind = "a regressor" if is_regressor(self._inner) else "an outlier detector"
            raise ValueError(
                f"{type(self).__name__} needs a classifier, and {type(self._inner).__name__} is "
                f"{kind}, whose numbers are no labels: pass a classifier in its place."
            )
        X, y = indexable(X, y)
        check_features(self, X, reset=True)
        y = check_training_labels(y)
        weight = check_weights(sample_weight, y)
        self.classes_, code = np.unique(y, return_inverse=True)
        counted = np.ones(len(y), dtype=bool) if weight is None else weight > 0
        rows = [np.flatnonzero((code == k) & counted) for k in range(len(self.classes_))]
        found = [k for k, of_class in enumerate(rows) if len(of_class)]
        if len(found) < 2 and not may_lack:
            weighted = "" if weight is None else " of positive weight"
            raise ValueError(
                f"y holds one class only, {self.classes_[found].tolist()}, in {counted.sum()} "
                f"rows{weighted}: there is nothing to balance. Add rows of another class, or use "
                "other folds."
            )
        return X, y, code, rows

    def _check_proba(self, use: str) -> None:
        """Refuse an estimator without probabilities."""
        if not hasattr(self._inner, "predict_proba"):
            raise ValueError(
                f"{type(self).__name__} {use}, and {type(self._inner).__name__} has no "
                "predict_proba: wrap it in CalibratedClassifierCV, or use another estimator."
            )

    def _fit_member(
        self,
        X: Any,
        y: NDArray,
        rows: NDArray[np.intp] | None,
        params: dict[str, Any],
        rng: np.random.RandomState,
        message: str,
    ) -> BaseEstimator:
        """Return a clone fitted on some rows; `verbose` prints how long it took."""
        member = clone_with_seed(self._inner, rng)
        with _print_elapsed_time(type(self).__name__, message if self.verbose else None):
            return fit_on_rows(member, X, y, rows, params)

    def _member_proba(self, member: BaseEstimator, X: Any) -> NDArray:
        """Return the probabilities of a member in the order of `classes_`."""
        proba = class_votes(member.predict_proba(X), member.classes_, self.classes_)
        if not np.isfinite(proba).all():
            raise ValueError(
                f"A member, {type(member).__name__}, gave {np.sum(~np.isfinite(proba))} "
                f"probabilities that are NaN or infinite in {len(proba)} samples: it cannot vote."
            )
        return proba

    def _check_predict(self, X: Any) -> Any:
        check_is_fitted(self)
        (X,) = indexable(X)
        check_features(self, X, reset=False)
        return X

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; the mean of the members' probabilities.
        """
        X = self._check_predict(X)
        total = np.zeros((_num_samples(X), len(self.classes_)))
        for member in self.estimators_:
            total += self._member_proba(member, X)
        return total / len(self.estimators_)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the class of greatest probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Class labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[np.argmax(proba, axis=1)]

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata goes to the estimator inside.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        return MetadataRouter(owner=self).add(
            estimator=self._inner,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def _route_params(self, params: dict[str, Any], sample_weight: Any) -> dict[str, Any]:
        """Return the parameters of the inner `fit`, the weights among them where given."""
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if not _routing_enabled():
            return params
        return process_routing(self, "fit", **params).estimator.fit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner)
        tags.input_tags = inner.input_tags
        tags.classifier_tags.multi_class = (
            inner.classifier_tags is None or inner.classifier_tags.multi_class
        )
        sampler = getattr(self, "sampler", None)
        sampler = self._default_sampler() if sampler is None else sampler
        if sampler is not None and not isinstance(sampler, str):
            of_sampler = get_tags(sampler).input_tags
            for name in ("sparse", "categorical", "string", "allow_nan"):
                both = getattr(tags.input_tags, name) and getattr(of_sampler, name)
                setattr(tags.input_tags, name, both)
        return tags
