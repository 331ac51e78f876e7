import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, StratifiedKFold, cross_val_predict

from skrecall.multilabel._held_out import held_out_responses, label_folds, positive_response


@pytest.fixture(scope="module")
def data():
    return make_classification(120, 5, random_state=0)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_equals_cross_val_predict(data, method):
    X, y = data
    cv = StratifiedKFold(4)
    model = LogisticRegression()
    actual = held_out_responses(
        model, X, y, label_folds(cv, X, y), method=method, params={}, rng=None
    )
    expected = cross_val_predict(model, X, y, cv=cv, method=method)
    assert_allclose(actual, expected[:, 1] if method == "predict_proba" else expected)


@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_rows_of_a_fold_without_positives_get_the_extreme_response(data, method):
    X, _ = data
    for value in (0, 1):
        y = np.full(len(X), value)
        y[3] = 1 - value
        folds = label_folds(StratifiedKFold(3), X, y)
        response = held_out_responses(
            LogisticRegression(), X, y, folds, method=method, params={}, rng=None
        )
        alone = next(held_out for _, held_out in folds if 3 in held_out)
        others = np.setdiff1d(np.arange(len(X)), alone)
        extreme = response[others].max() if value else response[others].min()
        assert_array_equal(response[alone], np.full(len(alone), extreme))


def test_no_fold_with_both_classes(data):
    X, _ = data
    y = (np.arange(120) < 60).astype(int)
    folds = [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]
    response = held_out_responses(
        LogisticRegression(), X, y, folds, method="predict", params={}, rng=None
    )
    assert_array_equal(response, np.repeat([0, 1], 60))


def test_folds_that_are_no_partition_are_refused(data):
    with pytest.raises(ValueError, match=r"out never and \d+ more than once: every row needs"):
        label_folds(ShuffleSplit(3, random_state=0), *data)


def test_one_response_per_class_is_refused():
    X, y = make_classification(60, 5, n_informative=3, n_classes=3, random_state=0)
    model = LogisticRegression().fit(X, y)
    assert_array_equal(positive_response(model, X, "predict"), model.predict(X))
    with pytest.raises(ValueError, match="3 classes, and predict_proba gives one column for each"):
        positive_response(model, X, "predict_proba")
