"""Common checks of samplers of several labels: one plain function per question.

Imbalanced-learn's own checks require that several labels be refused; these ask the same questions
of an indicator, and those that only several labels raise. The data hold what every sampler waits
for: rare labels, rows in which these meet frequent ones, and neighbours with other labels.
"""

import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import check_param_validation
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_matrix, csc_matrix, csr_array, csr_matrix, lil_matrix
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils import get_tags

from skrecall.model_selection import DecisionGridSearchCV
from skrecall.multilabel import BinaryRelevance, MultilabelBaggingClassifier
from skrecall.resampling import REMEDIALHwR
from skrecall.threshold import MultilabelThresholdClassifier
from skrecall.utils._sklearn import _set_random_states
from tests.checks import seeded

N_SAMPLES, N_FEATURES, N_LABELS = 160, 4, 5


def make_rare_labels() -> tuple[np.ndarray, np.ndarray]:
    """Return features, and labels of falling frequency that these explain in part."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    score = X @ rng.normal(size=(N_FEATURES, N_LABELS)) + rng.normal(size=(N_SAMPLES, N_LABELS))
    share = np.array([0.55, 0.4, 0.3, 0.1, 0.06])
    Y = (score > np.quantile(score, 1 - share, axis=0, method="higher").diagonal()).astype(int)
    Y[:3] = 0
    return X, Y


def resample(sampler: BaseEstimator, X: Any, Y: Any, **params: Any) -> tuple[Any, Any, np.ndarray]:
    """Return what a seeded clone makes, and the two rows that each row comes from."""
    sampler = seeded(sampler, **params)
    X_new, Y_new = sampler.fit_resample(X, Y)
    if hasattr(sampler, "sample_indices_"):
        return X_new, Y_new, np.column_stack([sampler.sample_indices_] * 2)
    return X_new, Y_new, sampler.parent_indices_


def with_words(X: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    frame["word"] = np.where(X[:, 1] > 0, "up", "down").astype(object)
    return frame


def check_fit(sampler: BaseEstimator) -> None:
    """`fit` checks and says what would be done, and resamples nothing."""
    X, Y = make_rare_labels()
    fitted = seeded(sampler)
    assert fitted.fit(X, Y) is fitted
    assert isinstance(fitted.sampling_strategy_, dict)
    assert not hasattr(fitted, "sample_indices_")
    assert not hasattr(fitted, "parent_indices_")
    strategy = fitted.sampling_strategy_
    fitted.fit_resample(X, Y)
    assert fitted.sampling_strategy_ == strategy


def check_rows_made(sampler: BaseEstimator) -> None:
    """Rows are changed; each is the copy of its row, or lies between its parents."""
    X, Y = make_rare_labels()
    fitted = seeded(sampler)
    X_new, Y_new = fitted.fit_resample(X, Y)
    assert X_new.shape == (len(Y_new), N_FEATURES)
    assert Y_new.shape == (len(X_new), N_LABELS)
    assert_array_equal(np.unique(Y_new), [0, 1])
    selects = get_tags(fitted).sampler_tags.sample_indices
    assert hasattr(fitted, "sample_indices_") == selects
    assert hasattr(fitted, "parent_indices_") != selects
    if selects:
        rows = fitted.sample_indices_
        assert rows.shape == (len(X_new),)
        parents = np.column_stack([rows, rows])
    else:
        parents = fitted.parent_indices_
    assert parents.shape == (len(X_new), 2)
    assert not np.array_equal(parents[:, 0], np.arange(N_SAMPLES))
    first, second = X[parents[:, 0]], X[parents[:, 1]]
    assert np.all(X_new >= np.minimum(first, second) - 1e-9)
    assert np.all(X_new <= np.maximum(first, second) + 1e-9)
    copied = parents[:, 0] == parents[:, 1]
    assert_array_equal(X_new[copied], first[copied])
    # A copy has labels of its row only, and between them the copies lose none: unless a row was
    # split, and the half of it removed.
    assert np.all(Y_new[copied] <= Y[parents[copied, 0]])
    if isinstance(sampler, REMEDIALHwR):
        return
    for row in np.unique(parents[copied, 0]):
        assert_array_equal(Y_new[copied & (parents[:, 0] == row)].max(axis=0), Y[row])


def check_sparse_samples(sampler: BaseEstimator) -> None:
    if not get_tags(sampler).input_tags.sparse:
        return
    X, Y = make_rare_labels()
    X[:, :2] *= np.abs(X[:, :2]) > 0.3  # no two rows equal, whose order no search promises
    X_expected, Y_expected, parents = resample(sampler, X, Y)
    for container in (csr_array, csr_matrix, csc_matrix, coo_matrix):
        X_new, Y_new, found = resample(sampler, container(X), Y)
        assert type(X_new) is container
        assert_allclose(X_new.toarray(), X_expected)
        assert_array_equal(Y_new, Y_expected)
        assert_array_equal(found, parents)


def check_sparse_labels(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    X_expected, Y_expected, _ = resample(sampler, X, Y)
    for container in (csr_array, csr_matrix, lil_matrix):
        X_new, Y_new, _ = resample(sampler, X, container(Y))
        assert type(Y_new) is container
        assert_array_equal(Y_new.toarray(), Y_expected)
        assert_allclose(X_new, X_expected)


def check_frames(sampler: BaseEstimator) -> None:
    """Names and types are kept, and the index is new."""
    X, Y = make_rare_labels()
    X_expected, Y_expected, _ = resample(sampler, X, Y)
    names = [f"label {j}" for j in range(N_LABELS)]
    frame = pd.DataFrame(X, columns=list("uvwx"), index=np.arange(N_SAMPLES) + 7)
    labels = pd.DataFrame(Y.astype(bool), columns=names, index=frame.index)
    fitted = seeded(sampler)
    X_new, Y_new = fitted.fit_resample(frame, labels)
    for new, old, expected in [(X_new, frame, X_expected), (Y_new, labels, Y_expected)]:
        assert isinstance(new, pd.DataFrame)
        assert_array_equal(new.columns, old.columns)
        assert_array_equal(new.dtypes, old.dtypes)
        assert_array_equal(new.index, np.arange(len(expected)))
        assert_allclose(new.to_numpy().astype(float), expected)
    assert_array_equal(fitted.label_names_, names)
    assert_array_equal(fitted.feature_names_in_, frame.columns)
    assert fitted.n_features_in_ == N_FEATURES
    assert_array_equal(fitted.get_feature_names_out(), frame.columns)
    assert all(label in names for label in np.ravel(_keys(fitted.sampling_strategy_)))
    fitted.fit_resample(X, Y)
    assert not hasattr(fitted, "label_names_")
    assert not hasattr(fitted, "feature_names_in_")


def _keys(strategy: dict) -> list:
    """Return the labels that a strategy names; its keys are labels or sets of them."""
    return [label for key in strategy for label in (key if isinstance(key, tuple) else (key,))]


def check_sparse_frame(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    frame = pd.DataFrame(X, columns=list("uvwx"), dtype=pd.SparseDtype(float, 0))
    X_new, _, _ = resample(sampler, frame, Y)
    assert all(isinstance(dtype, pd.SparseDtype) for dtype in X_new.dtypes)
    assert_allclose(X_new.to_numpy(), resample(sampler, X, Y)[0])


def check_lists(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    X_expected, Y_expected, _ = resample(sampler, X, Y)
    X_new, Y_new, _ = resample(sampler, X.tolist(), Y.tolist())
    assert isinstance(X_new, list)
    assert isinstance(Y_new, list)
    assert_allclose(X_new, X_expected)
    assert_array_equal(Y_new, Y_expected)


def check_text_of_one_dimension(sampler: BaseEstimator) -> None:
    """Texts, and lists of words of any length, are selected as they are, or refused."""
    _, Y = make_rare_labels()
    texts = [f"text {i}" for i in range(N_SAMPLES)]
    words = [text.split()[: 1 + i % 2] for i, text in enumerate(texts)]
    mixed = [[i, text] for i, text in enumerate(texts)]
    selects = get_tags(sampler).input_tags.string
    if not selects:
        for given in (texts, np.array(texts), pd.Series(texts)):
            with pytest.raises(ValueError, match=r"got X of shape .*turn text into features"):
                resample(sampler, given, Y)
        with pytest.raises(ValueError, match=r"1 column of X holds no numbers, \[1\]"):
            resample(sampler, mixed, Y)
        return
    for given in (texts, words, mixed):
        X_new, _, parents = resample(sampler, given, Y)
        assert X_new == [given[row] for row in parents[:, 0]]
    X_new, _, parents = resample(sampler, pd.Series(texts, index=np.arange(N_SAMPLES) + 7), Y)
    assert_array_equal(X_new.index, np.arange(len(X_new)))
    assert_array_equal(X_new, np.array(texts)[parents[:, 0]])


def check_dtypes(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    for kind in (np.int32, np.uint8, bool, np.float64):
        X_new, Y_new, _ = resample(sampler, X.astype(np.float32), Y.astype(kind))
        assert X_new.dtype == np.float32
        assert Y_new.dtype == (np.int64 if kind is np.float64 else kind)
    mixed = Y.astype(object)  # the values of a frame of several types
    mixed[:, 0] = mixed[:, 0].astype(bool)
    assert_array_equal(resample(sampler, X, mixed)[1], resample(sampler, X, Y)[1])


def check_nan(sampler: BaseEstimator) -> None:
    """What only copies rows keeps NaN; what computes with features says that it cannot."""
    X, Y = make_rare_labels()
    X[::7, 0] = np.nan
    if get_tags(sampler).input_tags.allow_nan:
        X_new, _, parents = resample(sampler, X, Y)
        copied = parents[:, 0] == parents[:, 1]
        assert_array_equal(X_new[copied], X[parents[copied, 0]])
        assert np.isnan(X_new).any()
    else:
        with pytest.raises(ValueError, match="NaN"):
            resample(sampler, X, Y)


def check_text(sampler: BaseEstimator) -> None:
    """A column of words is copied as it is; what computes with features has to be told."""
    X, Y = make_rare_labels()
    frame = with_words(X)
    if get_tags(sampler).input_tags.string:
        X_new, _, parents = resample(sampler, frame, Y)
        assert_array_equal(X_new.dtypes, frame.dtypes)
        copied = parents[:, 0] == parents[:, 1]
        pd.testing.assert_frame_equal(
            X_new[copied].reset_index(drop=True),
            frame.iloc[parents[copied, 0]].reset_index(drop=True),
        )
        assert set(X_new["word"]) == {"up", "down"}
        return
    with pytest.raises(ValueError, match=r"categorical|word|string|convert"):
        resample(sampler, frame, Y)


def check_images(sampler: BaseEstimator) -> None:
    if not get_tags(sampler).input_tags.three_d_array:
        return
    X, Y = make_rare_labels()
    images = (X * 20 + 128).astype(np.uint8).reshape(N_SAMPLES, 1, 2, 2)
    X_new, _, parents = resample(sampler, images, Y)
    assert X_new.dtype == np.uint8
    assert_array_equal(X_new, images[parents[:, 0]])


def check_one_dimension(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    for y in (Y[:, 0], Y[:, 0].tolist(), pd.Series(Y[:, 0]), np.linspace(0, 1, N_SAMPLES)):
        with pytest.raises(ValueError, match=r"y has shape \(160,\), and .* resamples several"):
            seeded(sampler).fit_resample(X, y)


def check_one_label(sampler: BaseEstimator) -> None:
    """One label is as frequent as the mean: nothing to do, unless sets of labels are resampled."""
    X, Y = make_rare_labels()
    for y in (Y[:, :1], csr_array(Y[:, :1])):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _, Y_new, parents = resample(sampler, X, y)
        assert Y_new.shape[1] == 1
        changed = not np.array_equal(parents[:, 0], np.arange(N_SAMPLES))
        assert changed or any("left the 160 rows as they are" in str(w.message) for w in caught)


def check_bad_labels(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    with pytest.raises(ValueError, match=r"y holds \[0\.5\]: an indicator is 1 where"):
        resample(sampler, X, np.where(Y == 1, 0.5, 0))
    with pytest.raises(ValueError, match=r"y holds \[2\]"):
        resample(sampler, X, Y + (np.arange(N_LABELS) == 2))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        resample(sampler, X, Y[:-1])
    unknown = Y.astype(float)
    unknown[5, 0] = np.nan
    with pytest.raises(ValueError, match=r"y contains NaN.* rows whose labels are known"):
        resample(sampler, X, unknown)
    unknown[5, 0] = -1
    for y in (unknown, csr_array(unknown), pd.DataFrame(unknown)):
        with pytest.raises(ValueError, match=r"y holds \[-1"):
            resample(sampler, X, y)
    for y in (np.zeros_like(Y), csr_array(Y.shape)):
        with pytest.raises(ValueError, match="None of the 5 labels has a positive in 160 rows"):
            resample(sampler, X, y)
    for rows, y in [(X, None), (None, Y)]:
        with pytest.raises(ValueError, match=r"(X|y) is None"):
            resample(sampler, rows, y)
    with pytest.raises(ValueError, match=r"no row to resample|minimum of 1 is required"):
        resample(sampler, X[:0], Y[:0])


def check_label_without_positives(sampler: BaseEstimator) -> None:
    """It is left out: the rows are those made without it."""
    X, Y = make_rare_labels()
    X_expected, Y_expected, parents = resample(sampler, X, Y)
    X_new, Y_new, found = resample(sampler, X, np.insert(Y, 2, 0, axis=1))
    assert_array_equal(Y_new[:, 2], 0)
    assert_array_equal(found, parents)
    assert_array_equal(np.delete(Y_new, 2, axis=1), Y_expected)
    assert_allclose(X_new, X_expected)


def check_equal_labels(sampler: BaseEstimator) -> None:
    """Labels and sets of labels of one frequency, far apart: nothing to do, and that is said."""
    Y = np.repeat(np.eye(4, dtype=int), 10, axis=0)
    X = np.repeat(np.eye(4), 10, axis=0) * 100 + np.random.RandomState(0).normal(size=(40, 4))
    sampler = seeded(sampler)
    with pytest.warns(UserWarning, match="left the 40 rows as they are: ") as caught:
        X_new, Y_new = sampler.fit_resample(X, Y)
    assert caught[-1].filename == __file__
    assert_array_equal(X_new, X)
    assert_array_equal(Y_new, Y)


def check_rarest_label_of_one_row(sampler: BaseEstimator) -> None:
    """And with more neighbours wanted than there are rows of the label: rows, or a sentence."""
    X, Y = make_rare_labels()
    Y[:, 4] = 0
    Y[7, 4] = 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, Y_new, parents = resample(sampler, X, Y)
    changed = not np.array_equal(parents[:, 0], np.arange(N_SAMPLES))
    assert changed or any("left the 160 rows as they are" in str(w.message) for w in caught)
    assert Y_new[:, 4].sum() >= 1
    if "n_neighbors" in sampler.get_params():
        refusal = ""
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            try:
                resample(sampler, X[:20], Y[:20], n_neighbors=30)
            except ValueError as error:
                refusal = str(error)
        assert not refusal or "n_neighbors=30" in refusal


def check_seeds(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    expected = resample(sampler, X, Y)
    settings = [{"n_jobs": n} for n in (1, 2)] if "n_jobs" in sampler.get_params() else [{}]
    for params in settings:
        for actual, array in zip(resample(sampler, X, Y, **params), expected, strict=True):
            assert_array_equal(actual, array)
    if "random_state" in sampler.get_params():
        other = clone(sampler)
        _set_random_states(other, random_state=1)
        other = other.fit_resample(X, Y)
        assert any(
            not np.array_equal(actual, array)
            for actual, array in zip(other, expected[:2], strict=True)
        )


def check_pickle(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    fitted = seeded(sampler)
    expected = fitted.fit_resample(X, Y)
    for copy in (pickle.loads(pickle.dumps(fitted)), clone(fitted)):
        for actual, array in zip(copy.fit_resample(X, Y), expected, strict=True):
            assert_array_equal(actual, array)


def check_input_untouched(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    X_given, Y_given = X.copy(), Y.copy()
    for array in (X_given, Y_given):
        array.flags.writeable = False
    resample(sampler, X_given, Y_given)
    X_sparse, Y_sparse = csr_array(X), csr_array(Y)
    if get_tags(sampler).input_tags.sparse:
        resample(sampler, X_sparse, Y_sparse)
    assert_array_equal(X_sparse.toarray(), X)
    assert_array_equal(Y_sparse.toarray(), Y)


def check_pipeline(sampler: BaseEstimator) -> None:
    """Rows are resampled in fit, and only there."""
    X, Y = make_rare_labels()
    model = make_pipeline(seeded(sampler), BinaryRelevance(LogisticRegression())).fit(X, Y)
    by_hand = BinaryRelevance(LogisticRegression()).fit(*seeded(sampler).fit_resample(X, Y))
    assert_array_equal(model.predict_proba(X), by_hand.predict_proba(X))


def check_searches(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    model = MultilabelThresholdClassifier(
        make_pipeline(seeded(sampler), BinaryRelevance(LogisticRegression())),
        cv=KFold(2),
    )
    grid = {"rule": ["cardinality", "mcut"]}
    scores = []
    for search in (GridSearchCV, DecisionGridSearchCV):
        fitted = search(model, grid, cv=KFold(2), scoring="f1_micro", n_jobs=2).fit(X, Y)
        scores.append(fitted.cv_results_["mean_test_score"])
        assert fitted.predict(X).shape == Y.shape
    assert_allclose(*scores)
    assert min(scores[0]) > 0.3


def check_inside_others(sampler: BaseEstimator) -> None:
    """In the bags of an ensemble, and below thresholds that are found out of fold."""
    X, Y = make_rare_labels()
    bagging = MultilabelBaggingClassifier(
        LogisticRegression(), n_estimators=2, sampler=sampler, random_state=0
    )
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # rare labels get lost
        first, second = (clone(bagging).fit(X, Y).predict_proba(X) for _ in range(2))
    assert_array_equal(first, second)
    model = make_pipeline(seeded(sampler), BinaryRelevance(LogisticRegression()))
    thresholds = MultilabelThresholdClassifier(model, cv=KFold(2)).fit(X, Y)
    assert thresholds.predict(X).shape == Y.shape


def check_parameters(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    with pytest.raises(ValueError, match="'sampling_strategy' parameter"):
        resample(sampler, X, Y, sampling_strategy="most")
    check_param_validation(type(sampler).__name__, sampler)


def check_global_randomness(sampler: BaseEstimator) -> None:
    state = np.random.get_state()  # noqa: NPY002
    resample(sampler, *make_rare_labels())
    for before, after in zip(state, np.random.get_state(), strict=True):  # noqa: NPY002
        assert_array_equal(before, after)


def check_weights_are_not_left_behind(sampler: BaseEstimator) -> None:
    X, Y = make_rare_labels()
    with pytest.raises(TypeError, match=r"sample_weight would be left behind: .*MetadataPipeline"):
        seeded(sampler).fit_resample(X, Y, sample_weight=np.ones(len(X)))


MULTILABEL_SAMPLER_CHECKS: list[Callable[[BaseEstimator], None]] = [
    check_fit,
    check_rows_made,
    check_sparse_samples,
    check_sparse_labels,
    check_frames,
    check_sparse_frame,
    check_lists,
    check_dtypes,
    check_nan,
    check_text,
    check_text_of_one_dimension,
    check_images,
    check_one_dimension,
    check_one_label,
    check_bad_labels,
    check_label_without_positives,
    check_equal_labels,
    check_rarest_label_of_one_row,
    check_seeds,
    check_pickle,
    check_input_untouched,
    check_pipeline,
    check_searches,
    check_inside_others,
    check_parameters,
    check_global_randomness,
    check_weights_are_not_left_behind,
]
