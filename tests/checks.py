"""Our own common checks: one plain function per question, for any classifier or sampler.

The lists `CLASSIFIER_CHECKS` and `SAMPLER_CHECKS` are run over the instances of
`tests/instances.py` by `tests/test_common.py`, and over the torch instances by
`tests/neural_network/test_common.py`.
"""

import inspect
import pickle
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix, issparse, lil_matrix
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skrecall.utils._decision import decision_params
from skrecall.utils._sklearn import _set_random_states

RESPONSES = ("predict", "predict_proba", "decision_function", "predict_flags")


def make_table(n_samples: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return non-negative features and labels {0, 1} with 30 % ones, not quite separable."""
    X, y = make_classification(
        n_samples, 6, weights=[0.7], flip_y=0.05, class_sep=1.5, random_state=0
    )
    return X - X.min(), y


def seeded(estimator: BaseEstimator, **params: Any) -> BaseEstimator:
    estimator = clone(estimator).set_params(**params)
    _set_random_states(estimator, random_state=0)
    return estimator


def fit_or_refuse(estimator: BaseEstimator, X: Any, y: Any) -> tuple[BaseEstimator | None, str]:
    """Fit, or return the message of the ValueError; an error of another type is a failure."""
    try:
        return seeded(estimator).fit(X, y), ""
    except ValueError as error:
        return None, str(error)


def responses(estimator: BaseEstimator, X: Any) -> dict[str, np.ndarray]:
    return {
        name: np.asarray(getattr(estimator, name)(X))
        for name in RESPONSES
        if hasattr(estimator, name)
    }


def assert_same_responses(actual: dict, expected: dict, *, exact: bool = True) -> None:
    assert actual.keys() == expected.keys()
    for name, value in actual.items():
        if exact or value.dtype.kind not in "fc":
            assert_array_equal(value, expected[name], err_msg=name)
        else:
            assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)


def check_containers(estimator: BaseEstimator) -> None:
    X, y = make_table()
    expected = responses(seeded(estimator).fit(X, y), X)
    frame = pd.DataFrame(X, columns=[f"feature {j}" for j in range(X.shape[1])])
    for rows, labels in [(frame, pd.Series(y, name="label")), (np.asfortranarray(X), y.tolist())]:
        actual = responses(seeded(estimator).fit(rows, labels), rows)
        assert_same_responses(actual, expected, exact=False)
    if get_tags(estimator).input_tags.sparse:
        for container in (csr_array, csr_matrix):
            rows = container(X)
            predicted = seeded(estimator).fit(rows, y).predict(rows)
            assert np.mean(predicted == expected["predict"]) >= 0.95


def check_feature_names(estimator: BaseEstimator) -> None:
    X, y = make_table()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    estimator = seeded(estimator).fit(frame, y)
    assert_array_equal(estimator.feature_names_in_, list("abcdef"))
    assert estimator.n_features_in_ == 6
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(frame[list("fedcba")])
    with pytest.raises(ValueError, match="expecting 6 features"):
        seeded(estimator).fit(X, y).predict(X[:, :5])
    assert not hasattr(seeded(estimator).fit(X, y), "feature_names_in_")


def check_same_seed(estimator: BaseEstimator) -> None:
    X, y = make_table()
    expected = responses(seeded(estimator).fit(X, y), X)
    assert_same_responses(responses(seeded(estimator).fit(X, y), X), expected)
    if "n_jobs" in estimator.get_params(deep=False):
        for n_jobs in (1, 2):
            actual = responses(seeded(estimator, n_jobs=n_jobs).fit(X, y), X)
            assert_same_responses(actual, expected)


def check_pickle(estimator: BaseEstimator) -> None:
    X, y = make_table()
    fitted = seeded(estimator).fit(X, y)
    expected = responses(fitted, X)
    assert_same_responses(responses(pickle.loads(pickle.dumps(fitted)), X), expected)
    assert_same_responses(responses(clone(fitted).fit(X, y), X), expected)
    assert_same_responses(responses(fitted, X), expected)


def check_one_class(estimator: BaseEstimator) -> None:
    X, _ = make_table()
    for label in (0, 1, "fraud"):
        y = np.full(len(X), label)
        fitted, refusal = fit_or_refuse(estimator, X, y)
        if fitted is None:
            assert "class" in refusal, f"the message does not say that y has one class: {refusal}"
        else:
            assert_array_equal(fitted.predict(X), y)


def check_constant_features(estimator: BaseEstimator) -> None:
    X, y = make_table()
    one_constant = X.copy()
    one_constant[:, 0] = 3.0
    for rows in (one_constant, np.ones_like(X)):
        fitted, refusal = fit_or_refuse(estimator, rows, y)
        if fitted is None:
            assert rows is not one_constant, f"one constant feature of six refused: {refusal}"
            assert len(refusal) > 40, f"not a sentence: {refusal}"
        else:
            for name, value in responses(fitted, rows).items():
                assert len(value) == len(rows)
                assert value.dtype.kind != "f" or np.isfinite(value).all(), name


def check_nan(estimator: BaseEstimator) -> None:
    X, y = make_table()
    X_nan, X_inf = X.copy(), X.copy()
    X_nan[::7, 0] = np.nan
    X_inf[3, 0] = np.inf
    if get_tags(estimator).input_tags.allow_nan:
        for value in responses(seeded(estimator).fit(X_nan, y), X_nan).values():
            assert value.dtype.kind != "f" or np.isfinite(value).all()
        return
    fitted = seeded(estimator).fit(X, y)
    for rows, found in [(X_nan, "NaN"), (X_inf, "infinity")]:
        # A search warns of each failed fit before it raises.
        with warnings.catch_warnings(action="ignore"), pytest.raises(ValueError, match=found):
            seeded(estimator).fit(rows, y)
        with pytest.raises(ValueError, match=found):
            fitted.predict(rows)


def check_labels(estimator: BaseEstimator) -> None:
    """Only the order of the labels matters, not what they are."""
    X, y = make_table()
    expected = seeded(estimator).fit(X, y)
    for labels in (["ham", "spam"], [-1, 1], [False, True]):
        labels = np.array(labels)
        fitted = seeded(estimator).fit(X, labels[y])
        assert_array_equal(fitted.classes_, labels)
        for k, label in enumerate(labels):
            assert_array_equal(fitted.predict(X) == label, expected.predict(X) == k)
        if hasattr(fitted, "predict_proba"):
            assert_array_equal(fitted.predict_proba(X), expected.predict_proba(X))


def check_global_randomness(estimator: BaseEstimator) -> None:
    """Neither numpy's nor torch's global state is used or moved."""
    X, y = make_table()
    torch = sys.modules.get("torch")
    state = np.random.get_state()  # noqa: NPY002
    torch_state = None if torch is None else torch.get_rng_state()
    fitted = seeded(estimator)
    fitted = fitted.fit(X, y) if hasattr(fitted, "predict") else fitted.fit_resample(X, y)
    if hasattr(fitted, "predict"):
        fitted.predict(X)
    for before, after in zip(state, np.random.get_state(), strict=True):  # noqa: NPY002
        assert_array_equal(before, after)
    if torch is not None:
        assert torch.equal(torch_state, torch.get_rng_state())


def check_decision_params(estimator: BaseEstimator) -> None:
    """A decision parameter that is set after fit is refused until the decision is made again."""
    X, y = make_table()
    fitted = seeded(estimator).fit(X, y)
    expected = responses(fitted, X)
    for name in decision_params(fitted):
        value = getattr(fitted, name)
        fitted.set_params(**{name: "something else"})
        with pytest.raises(ValueError, match=name):
            fitted.predict(X)
        fitted.set_params(**{name: value})
        assert_same_responses(responses(fitted, X), expected)
        assert fitted.refit_decision() is fitted
        assert_same_responses(responses(fitted, X), expected)


def check_sampler_containers(sampler: BaseEstimator) -> None:
    X, y = make_table()
    expected_X, expected_y = seeded(sampler).fit_resample(X, y)
    frame = pd.DataFrame(X, columns=[f"feature {j}" for j in range(X.shape[1])])
    frame_X, series_y = seeded(sampler).fit_resample(frame, pd.Series(y, name="label"))
    assert isinstance(frame_X, pd.DataFrame)
    assert isinstance(series_y, pd.Series)
    assert series_y.name == "label"
    assert_array_equal(frame_X.columns, frame.columns)
    assert_array_equal(frame_X, expected_X)
    assert_array_equal(series_y, expected_y)
    if get_tags(sampler).input_tags.sparse:
        sparse_X, sparse_y = seeded(sampler).fit_resample(csr_array(X), y)
        assert issparse(sparse_X)
        assert_allclose(sparse_X.toarray(), expected_X)
        assert_array_equal(sparse_y, expected_y)


def check_sampler_same_seed(sampler: BaseEstimator) -> None:
    X, y = make_table()
    expected = seeded(sampler).fit_resample(X, y)
    settings = [{"n_jobs": n} for n in (1, 2)] if "n_jobs" in sampler.get_params() else [{}]
    for params in settings:
        for actual, array in zip(
            seeded(sampler, **params).fit_resample(X, y), expected, strict=True
        ):
            assert_array_equal(actual, array)
    copy = pickle.loads(pickle.dumps(seeded(sampler)))
    for actual, array in zip(copy.fit_resample(X, y), expected, strict=True):
        assert_array_equal(actual, array)


def check_sampler_in_pipeline(sampler: BaseEstimator) -> None:
    """Rows are resampled in fit, and only there."""
    X, y = make_table()
    model = make_pipeline(seeded(sampler), LogisticRegression()).fit(X, y)
    by_hand = LogisticRegression().fit(*seeded(sampler).fit_resample(X, y))
    assert_array_equal(model.predict_proba(X), by_hand.predict_proba(X))


def check_sampler_one_class(sampler: BaseEstimator) -> None:
    X, _ = make_table()
    with pytest.raises(ValueError, match="class"):
        seeded(sampler).fit_resample(X, np.zeros(len(X), dtype=int))


def check_sampler_nan(sampler: BaseEstimator) -> None:
    X, y = make_table()
    X[::7, 0] = np.nan
    if get_tags(sampler).input_tags.allow_nan:
        assert np.isnan(seeded(sampler).fit_resample(X, y)[0]).any()
    else:
        with pytest.raises(ValueError, match="NaN"):
            seeded(sampler).fit_resample(X, y)


def check_sampler_weights(sampler: BaseEstimator) -> None:
    """Weights of ours are refused by name; imbalanced-learn's take or refuse them as they do."""
    ours = type(sampler).fit_resample.__module__.startswith("skrecall")
    if not ours or hasattr(sampler, "sampler"):
        return
    X, y = make_table()
    with pytest.raises(TypeError, match="MetadataPipeline"):
        seeded(sampler).fit_resample(X, y, sample_weight=np.ones(len(X)))


def make_labels(n_samples: int = 120, n_labels: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return non-negative features and an indicator in which every label varies."""
    X, Y = make_multilabel_classification(
        n_samples, 6, n_classes=n_labels, n_labels=2, random_state=3
    )
    return X, Y


def dense(Y: Any) -> np.ndarray:
    return Y.toarray() if issparse(Y) else np.asarray(Y)


def check_label_containers(estimator: BaseEstimator) -> None:
    """Dense in, dense out; DataFrame in, DataFrame out; sparse in, sparse out: the same labels."""
    X, Y = make_labels()
    fitted = seeded(estimator).fit(X, Y)
    expected = responses(fitted, X)
    assert expected["predict"].shape == Y.shape
    assert expected["predict"].dtype == Y.dtype
    assert_array_equal(np.unique(expected["predict"]), [0, 1])
    for container in (csr_array, csr_matrix, lil_matrix):
        fitted = seeded(estimator).fit(X, container(Y))
        predicted = fitted.predict(X)
        assert type(predicted) is container
        assert_array_equal(predicted.toarray(), expected["predict"])
    names = ["a", "b", "c", "d"]
    X_frame = pd.DataFrame(X, columns=list("uvwxyz"), index=np.arange(len(X)) + 7)
    fitted = seeded(estimator).fit(X_frame, pd.DataFrame(Y, columns=names))
    predicted = fitted.predict(X_frame)
    assert isinstance(predicted, pd.DataFrame)
    assert_array_equal(predicted.columns, names)
    assert_array_equal(predicted.index, X_frame.index)
    assert_array_equal(predicted, expected["predict"])
    assert_array_equal(fitted.label_names_, names)


def check_label_responses(estimator: BaseEstimator) -> None:
    """One array of P(label = 1), one of scores; one row alone is answered as among others."""
    X, Y = make_labels()
    fitted = seeded(estimator).fit(X, Y)
    if hasattr(fitted, "predict_proba"):
        proba = fitted.predict_proba(X)
        assert isinstance(proba, np.ndarray)
        assert proba.shape == Y.shape
        assert proba.dtype.kind == "f"
        assert proba.min() >= 0
        assert proba.max() <= 1
        assert roc_auc_score(Y, proba, average="micro") > 0.6
    if hasattr(fitted, "decision_function"):
        assert fitted.decision_function(X).shape == Y.shape
    one = responses(fitted, X[:1])
    for name, value in responses(fitted, X).items():
        assert_allclose(one[name], value[:1], rtol=1e-6, atol=1e-9, err_msg=name)


def check_constant_label(estimator: BaseEstimator) -> None:
    """A label with one value in the training rows is named and predicted as that value."""
    X, Y = make_labels()
    Y[:, 1], Y[:, 3] = 0, 1
    with pytest.warns(UserWarning, match=r"Labels \[1, 3\] have one value each"):
        fitted = seeded(estimator).fit(X, Y)
    answers = responses(fitted, X)
    assert_array_equal(answers["predict"][:, [1, 3]], Y[:, [1, 3]])
    if "predict_proba" in answers:
        assert_array_equal(answers["predict_proba"][:, [1, 3]], Y[:, [1, 3]])
    if "decision_function" in answers:
        assert_array_equal(answers["decision_function"][:, [1, 3]] > 0, Y[:, [1, 3]] == 1)
    with pytest.warns(UserWarning, match=r"Labels \['b', 'd'\]"):
        seeded(estimator).fit(X, pd.DataFrame(Y, columns=list("abcd")))
    for kept in (Y[:, [0, 3]], Y[:, [1, 3]], Y[:, [3]]):
        with pytest.warns(UserWarning, match="one value each"):
            fitted = seeded(estimator).fit(X, csr_array(kept))
        assert_array_equal(fitted.predict(X).toarray()[:, -1], 1)


def check_few_labels_and_rows(estimator: BaseEstimator) -> None:
    """One label, as one column or one dimension; more labels than rows."""
    X, Y = make_labels()
    column = responses(seeded(estimator).fit(X, Y[:, [2]]), X)
    flat = responses(seeded(estimator).fit(X, Y[:, 2]), X)
    assert_array_equal(column["predict"][:, 0], flat["predict"])
    if "predict_proba" in flat:
        assert column["predict_proba"].shape == (len(X), 1)
        assert_allclose(flat["predict_proba"][:, 1:], column["predict_proba"])
        assert_allclose(flat["predict_proba"].sum(axis=1), 1)
    words = np.array(["absent", "present"])[Y[:, 2]]
    assert_array_equal(seeded(estimator).fit(X, words).predict(X) == "present", flat["predict"])
    X, Y = X[:12], np.tile(Y[:12], (1, 5))
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        assert seeded(estimator).fit(X, Y).predict(X).shape == Y.shape


def check_bad_labels(estimator: BaseEstimator) -> None:
    X, Y = make_labels()
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        seeded(estimator).fit(X, np.arange(len(X)) % 3)
    if not getattr(estimator, "_accept_classes", False):
        with pytest.raises(ValueError, match=r"Y holds \[2\]: an indicator is 1 where"):
            seeded(estimator).fit(X, Y + (np.arange(4) == 2))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        seeded(estimator).fit(X, Y[:-1])
    Y_nan = Y.astype(float)
    Y_nan[5, 0] = np.nan
    Y_minus = Y.copy()
    Y_minus[5, 0] = -1
    if estimator._accept_unknown:
        expected = responses(seeded(estimator).fit(X, Y_nan), X)
        for unknown in (Y_minus, csr_array(Y_minus), pd.DataFrame(Y_nan)):
            actual = dense(seeded(estimator).fit(X, unknown).predict(X))
            assert_array_equal(actual, expected["predict"])
    else:
        for unknown, found in [(Y_nan, "Y contains NaN"), (Y_minus, r"Y holds \[-1\]")]:
            with pytest.raises(ValueError, match=found):
                seeded(estimator).fit(X, unknown)


def check_labels_same_seed(estimator: BaseEstimator) -> None:
    X, Y = make_labels()
    expected = responses(seeded(estimator).fit(X, Y), X)
    settings = [{"n_jobs": n} for n in (1, 2)] if "n_jobs" in estimator.get_params() else [{}]
    for params in settings:
        fitted = seeded(estimator, **params).fit(X, Y)
        assert_same_responses(responses(fitted, X), expected)
        assert_same_responses(responses(pickle.loads(pickle.dumps(fitted)), X), expected)


def _repeat_rows(X: Any, Y: Any) -> tuple[Any, Any]:
    return np.repeat(X, 2, axis=0), np.repeat(Y, 2, axis=0)


def check_label_search(estimator: BaseEstimator) -> None:
    """In a grid search over a Pipeline with a sampler; one fold lacks a label."""
    X, Y = make_labels()
    Y[np.arange(len(Y)) % 3 > 0, 3] = 0  # KFold would not do that: rows of one fold alone have it
    folds = [
        (np.flatnonzero(np.arange(len(X)) % 3 != k), np.arange(k, len(X), 3)) for k in range(3)
    ]
    model = make_pipeline(FunctionSampler(func=_repeat_rows, validate=False), seeded(estimator))
    search = GridSearchCV(
        model, {"functionsampler__func": [None, _repeat_rows]}, cv=folds, scoring="f1_micro"
    )
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        search.fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0.3
    assert search.predict(X).shape == Y.shape


def check_frame_reaches_inside(estimator: BaseEstimator) -> None:
    """A DataFrame X stays one for the estimator inside, where there is one."""
    if not hasattr(estimator, "estimator"):
        return
    X, Y = make_labels()
    frame = pd.DataFrame(X, columns=list("uvwxyz"))
    inner = make_pipeline(FunctionTransformer(_assert_frame), clone(estimator.estimator))
    fitted = seeded(estimator).set_params(estimator=inner).fit(frame, Y)
    assert dense(fitted.predict(frame)).shape == Y.shape
    assert_array_equal(fitted.feature_names_in_, frame.columns)


def check_label_scores_out_of_fold(estimator: BaseEstimator) -> None:
    """`cross_val_predict` gives what the model of each fold answers, for one label as for all."""
    X, Y = make_labels()
    cv = KFold(2)
    for labels in (Y[:, :1], Y):
        models = [(seeded(estimator).fit(X[fit], labels[fit]), rows) for fit, rows in cv.split(X)]
        for name in responses(models[0][0], X):
            found = cross_val_predict(seeded(estimator), X, labels, cv=cv, method=name)
            expected = np.concatenate([getattr(model, name)(X[rows]) for model, rows in models])
            assert_allclose(found, expected, rtol=1e-6, atol=1e-9, err_msg=name)


def check_unknown_fit_parameter(estimator: BaseEstimator) -> None:
    """A word that no `fit` inside knows is refused by name, with routing and without."""
    parameters = inspect.signature(estimator.fit).parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    X, Y = make_labels()
    for routing in (False, True):
        with (
            config_context(enable_metadata_routing=routing),
            pytest.raises((TypeError, ValueError), match="importance"),
        ):
            seeded(estimator).fit(X, Y, importance=np.ones(len(X)))


def _assert_frame(X: Any) -> Any:
    assert isinstance(X, pd.DataFrame), type(X)
    assert set("uvwxyz") <= set(X.columns)
    return X.fillna(0)


CLASSIFIER_CHECKS: list[Callable[[BaseEstimator], None]] = [
    check_containers,
    check_feature_names,
    check_same_seed,
    check_pickle,
    check_one_class,
    check_constant_features,
    check_nan,
    check_labels,
    check_global_randomness,
    check_decision_params,
]

MULTILABEL_CHECKS: list[Callable[[BaseEstimator], None]] = [
    check_label_containers,
    check_label_responses,
    check_constant_label,
    check_few_labels_and_rows,
    check_bad_labels,
    check_labels_same_seed,
    check_label_search,
    check_label_scores_out_of_fold,
    check_unknown_fit_parameter,
    check_frame_reaches_inside,
]

SAMPLER_CHECKS: list[Callable[[BaseEstimator], None]] = [
    check_sampler_containers,
    check_sampler_same_seed,
    check_sampler_in_pipeline,
    check_sampler_one_class,
    check_sampler_nan,
    check_sampler_weights,
    check_global_randomness,
]


def instance_id(value: Any) -> str | None:
    """Name an instance or a check in the ids of parametrised tests."""
    if isinstance(value, BaseEstimator):
        inner = getattr(value, "estimator", getattr(value, "sampler", None))
        return type(value).__name__ + (f"({type(inner).__name__})" if inner is not None else "")
    return getattr(value, "__name__", None)
