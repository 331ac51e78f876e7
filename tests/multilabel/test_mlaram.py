import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skrecall.multilabel import MLARAM, _mlaram
from skrecall.multilabel._mlaram import above_greatest_gap, voting_weights
from tests.checks import make_labels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def plain_code(row, low, high):
    scaled = [
        min(max((value - least) / ((most - least) or 1), 0), 1)
        for value, least, most in zip(row, low, high, strict=True)
    ]
    return scaled + [1 - value for value in scaled]


def plain_fit(X, Y, vigilance, low, high):
    """The definition in loops: [box, label set, count] in the order in which they arise."""
    boxes = []
    for row, labels in zip(X, Y, strict=True):
        code = plain_code(row, low, high)
        best = None
        for box in boxes:
            overlap = sum(map(min, box[0], code))
            if box[1] == list(labels) and overlap >= vigilance * sum(code) - 1e-9:
                activation = overlap / sum(box[0])
                if best is None or activation > best[0]:
                    best = (activation, box)
        if best is None:
            boxes.append([code, list(labels), 1])
        else:
            best[1][0] = list(map(min, best[1][0], code))
            best[1][2] += 1
    return boxes


def plain_proba(boxes, row, threshold, low, high):
    code = plain_code(row, low, high)
    activation = [sum(map(min, box, code)) / sum(box) for box, _, _ in boxes]
    best, least = max(activation), min(activation)
    votes = np.zeros(len(boxes[0][1]))
    total = 0.0
    for value, (_, labels, count) in zip(activation, boxes, strict=True):
        if (best - value) / best <= threshold * (best - least) + 1e-9:
            votes += value * count * np.array(labels)
            total += value * count
    return votes / total


def plain_gap(proba):
    order = sorted(range(len(proba)), key=lambda label: (-proba[label], label))
    falls = [
        proba[order[i]] - proba[order[i + 1]] if i + 1 < len(order) else -1.0
        for i in range(len(order))
    ]
    cut = max(range(len(falls) - 1), key=lambda i: (round(falls[i], 9), -i))
    return [int(label in order[: cut + 1]) for label in range(len(proba))]


@pytest.mark.parametrize("vigilance", [0.0, 0.6, 0.85, 1.0])
@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_equals_the_definition_in_loops(rng, vigilance, threshold, container):
    X = rng.normal(size=(60, 4)) * (rng.random((60, 4)) < 0.7)
    X[:, 2] = 3.0  # a constant feature
    X[50:] = X[40:50]
    Y = rng.integers(0, 2, (60, 3))
    X_new = rng.normal(size=(25, 4)) * 1.5
    low, high = X.min(axis=0), X.max(axis=0)
    boxes = plain_fit(X, Y, vigilance, low, high)
    fitted = MLARAM(vigilance, threshold=threshold).fit(container(X), Y)
    expected = sorted((labels, count, np.round(box, 9).tolist()) for box, labels, count in boxes)
    actual = zip(
        fitted.prototype_labels_.tolist(),
        fitted.prototype_counts_.tolist(),
        np.round(fitted.prototypes_, 9).tolist(),
        strict=True,
    )
    assert sorted(actual) == expected
    proba = np.array([plain_proba(boxes, row, threshold, low, high) for row in X_new])
    assert_allclose(fitted.predict_proba(container(X_new)), proba, atol=1e-9)
    assert_array_equal(fitted.predict(container(X_new)), [plain_gap(row) for row in proba])
    half = fitted.set_params(decision="half").refit_decision()
    clear = np.abs(proba - 0.5) > 1e-9
    assert_array_equal(half.predict(container(X_new))[clear], (proba >= 0.5)[clear])


def test_boxes_hold_their_rows_and_stay_as_small_as_told():
    X, Y = make_labels()
    for vigilance in (0.5, 0.8, 0.95):
        fitted = MLARAM(vigilance).fit(X, Y)
        n_features = X.shape[1]
        lower, upper = np.split(fitted.prototypes_, [n_features], axis=1)
        upper = 1 - upper
        assert (upper - lower).sum(axis=1).max() <= (1 - vigilance) * n_features + 1e-9
        scaled = (X - X.min(axis=0)) / np.ptp(X, axis=0)
        for row, labels in zip(scaled, Y, strict=True):
            inside = (lower - 1e-9 <= row).all(axis=1) & (row <= upper + 1e-9).all(axis=1)
            assert (inside & (fitted.prototype_labels_ == labels).all(axis=1)).any()
        assert fitted.prototype_counts_.sum() == len(X)


def test_no_vigilance_makes_one_box_per_label_set_and_full_one_keeps_all_rows(rng):
    X, Y = rng.random((40, 3)), rng.integers(0, 2, (40, 2))
    assert len(MLARAM(0.0).fit(X, Y).prototypes_) == len(np.unique(Y, axis=0))
    assert len(MLARAM(1.0).fit(X, Y).prototypes_) == 40
    twice = MLARAM(1.0).fit(np.tile(X, (2, 1)), np.tile(Y, (2, 1)))
    assert_array_equal(twice.prototype_counts_, np.full(40, 2))


def test_greatest_gap_of_hand_made_rows():
    proba = np.array([[0.1, 0.9, 0.8], [0.5, 0.5, 0.5], [0.2, 0.9, 0.55], [0.7, 0.0, 0.35]])
    expected = [[0, 1, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert_array_equal(above_greatest_gap(proba), expected)


def test_a_row_is_answered_the_same_beside_any_others():
    """The peer scales each call by its own range."""
    X, Y = make_labels()
    fitted = MLARAM().fit(X[:80], Y[:80])
    outlier = np.vstack([X[80:], 1000 * np.ones_like(X[:1])])
    assert_array_equal(fitted.predict_proba(outlier)[:-1], fitted.predict_proba(X[80:]))
    assert_array_equal(
        fitted.predict_proba(X.max(axis=0)[None] + 5), fitted.predict_proba(outlier[-1:])
    )


def test_blocks_do_not_change_the_answer(monkeypatch):
    X, Y = make_labels()
    fitted = MLARAM().fit(X, Y)
    expected = fitted.predict_proba(X), fitted.predict(X)
    monkeypatch.setattr(_mlaram, "_BLOCK_SIZE", 3 * len(fitted.prototypes_))
    assert_allclose(fitted.predict_proba(X), expected[0], rtol=1e-12)
    assert_array_equal(fitted.predict(X), expected[1])


def test_batches_learn_what_one_fit_learns():
    X, Y = make_labels()
    whole = MLARAM(0.8).fit(X, Y)
    batches = MLARAM(0.8, feature_range=(X.min(axis=0), X.max(axis=0)))
    for rows in np.array_split(np.arange(len(X)), 4):
        batches.partial_fit(X[rows], Y[rows])
    assert_array_equal(batches.prototypes_, whole.prototypes_)
    assert_array_equal(batches.prototype_labels_, whole.prototype_labels_)
    assert_array_equal(batches.prototype_counts_, whole.prototype_counts_)
    assert_array_equal(batches.predict_proba(X), whole.predict_proba(X))


def test_a_batch_after_a_fit_may_hold_a_label_that_was_constant():
    X, Y = make_labels()
    without = Y.copy()
    without[:, 1] = 0
    with pytest.warns(UserWarning, match=r"Labels \[1\]"):
        fitted = MLARAM().fit(X, without)
    assert not fitted.predict(X)[:, 1].any()
    fitted.partial_fit(X, Y)
    assert fitted.predict(X)[:, 1].any()


def test_order_is_given_or_seeded():
    X, Y = make_labels()
    given = MLARAM(0.6).fit(X, Y)
    seeded = [MLARAM(0.6, shuffle=True, random_state=1).fit(X, Y) for _ in range(2)]
    assert_array_equal(seeded[0].prototypes_, seeded[1].prototypes_)
    other = seeded[0].prototypes_
    assert other.shape != given.prototypes_.shape or (other != given.prototypes_).any()


def test_a_box_of_everything_has_a_vote_too():
    """Its size is 0, and so is every activation."""
    X, Y = np.array([[0.0], [1.0]] * 4), np.array([[1, 0]] * 8) ^ (np.arange(8) > 5)[:, None]
    fitted = MLARAM(0.0).fit(X, Y)
    assert_array_equal(fitted.prototypes_, np.zeros((2, 2)))
    assert_allclose(fitted.predict_proba([[0.5]]), [[0.75, 0.25]])


@pytest.mark.parametrize(
    ("feature_range", "message"),
    [
        ((0, np.ones(5)), r"of which there are 6"),
        ((0, 1, 2), r"a tuple of the least and the greatest value"),
        ((np.eye(6)[2] * 3, np.ones(6)), r"feature 2 goes from 3.0 to 1.0"),
    ],
)
def test_a_wrong_range_is_refused(feature_range, message):
    with pytest.raises(ValueError, match=message):
        MLARAM(feature_range=feature_range).fit(*make_labels())


@pytest.mark.parametrize("params", [{"vigilance": 1.5}, {"threshold": -1}, {"decision": "all"}])
def test_settings_out_of_range_are_refused(params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        MLARAM(**params).fit(*make_labels())


def test_weights_of_a_vote_are_activations_times_counts():
    activation = np.array([[0.9, 0.8, 0.5], [0.0, 0.0, 0.0]])
    counts = np.array([1, 2, 3])
    # votes: best less 0.9 * 0.4 * threshold; all of equal activation
    assert_allclose(voting_weights(activation, counts, 0.2), [[0.9, 0, 0], [1, 2, 3]])
    assert_allclose(voting_weights(activation, counts, 0.3), [[0.9, 1.6, 0], [1, 2, 3]])
