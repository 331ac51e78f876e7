from dataclasses import replace

import numpy as np
import pytest

from skrecall.metrics import operating_curve
from skrecall.threshold._bounds import violation_probability
from skrecall.threshold._promise import _PromiseTerms, make_promise, promise_units

TERMS = _PromiseTerms(
    target_recall=0.9,
    confidence=0.9,
    n_promises=1,
    next_batch=None,
    group_promise=None,
    on_insufficient="raise",
)


def draw(rng, n_positives=200, n_negatives=400, decimals=None):
    """Return uniform positive scores, so that the recall at t is 1 - t, and lower negatives."""
    positive = np.repeat([True, False], [n_positives, n_negatives])
    y_score = np.append(rng.uniform(size=n_positives), rng.uniform(-1, 0.7, size=n_negatives))
    return positive, y_score if decimals is None else np.round(y_score, decimals)


def promise_of(positive, y_score, terms=TERMS):
    return make_promise(positive, y_score, terms, pos_label=1, stratum=None, is_empirical=False)[0]


def test_violations_happen_exactly_as_often_as_the_bound_says():
    """v(15) = .0929 at 200 positives: within 139 and 236 of 2000 with 1e-4 tails.

    A rank too high would give 286 on average, one too low 113.
    """
    rng = np.random.default_rng(0)
    assert violation_probability(15, 200, 0.9) == pytest.approx(0.0929, abs=5e-5)
    promises = [promise_of(*draw(rng)) for _ in range(2000)]
    at_bound = sum(1 - promise.highest_threshold < 0.9 for promise in promises)
    assert 139 <= at_bound <= 236
    stored = sum(1 - promise.threshold < 0.9 for promise in promises)
    assert stored <= 252


def test_ties_are_on_the_safe_side():
    """Scores rounded to .1: the recall at t is that of all scores that round to t or more."""
    rng = np.random.default_rng(1)
    recall = [
        1 - max(0.0, np.ceil(promise_of(*draw(rng, 100, decimals=1)).threshold * 10) / 10 - 0.05)
        for _ in range(1000)
    ]
    assert np.sum(np.array(recall) < 0.9) <= 1000 * 0.1 + 3 * np.sqrt(1000 * 0.09)


def test_next_batch_is_kept_in_the_batch():
    rng = np.random.default_rng(2)
    terms = _PromiseTerms(**{**TERMS.__dict__, "next_batch": 40})
    violations = 0
    for _ in range(1500):
        promise = promise_of(*draw(rng, 120, 100), terms)
        violations += np.mean(rng.uniform(size=40) >= promise.threshold) < 0.9
    assert violations <= 1500 * 0.1 + 3 * np.sqrt(1500 * 0.09)


@pytest.mark.parametrize("decimals", [None, 1])
def test_threshold_is_the_most_precise_of_those_that_carry_the_promise(decimals):
    positive, y_score = draw(np.random.default_rng(3), decimals=decimals)
    promise = promise_of(positive, y_score)
    ordered = np.sort(y_score[positive])
    assert promise.highest_threshold == ordered[promise.rank - 1]
    carrying = [t for t in np.unique(y_score) if t <= promise.highest_threshold]
    best = max(np.mean(positive[y_score >= t]) for t in carrying)
    flagged = y_score >= promise.threshold
    assert np.mean(positive[flagged]) == pytest.approx(best)
    assert promise.threshold < y_score[flagged].min()
    assert promise.threshold > y_score[~flagged].max()


def test_a_lower_threshold_is_taken_when_it_is_more_precise():
    """Most negatives sit above the highest threshold that carries the promise, positives below."""
    positive = np.repeat([True, True, False, False], [150, 50, 100, 5])
    y_score = np.concatenate(
        [np.linspace(2, 3, 150), np.linspace(0, 1, 50), np.full(100, 2.5), np.full(5, -1.0)]
    )
    promise = promise_of(positive, y_score)
    assert -1 < promise.threshold < 0
    assert promise.threshold < promise.highest_threshold


def test_the_bound_reported_is_that_of_the_highest_threshold():
    from scipy.stats import beta

    promise = promise_of(*draw(np.random.default_rng(4)))
    expected = beta.ppf(0.1, 200 - promise.rank + 1, promise.rank)
    assert promise.lower_bound == pytest.approx(expected)
    assert promise.lower_bound >= 0.9


def test_mean_recall_is_that_of_the_order_statistic():
    rng = np.random.default_rng(5)
    recall = [1 - promise_of(*draw(rng, 100, 50)).highest_threshold for _ in range(2000)]
    expected, spread = 1 - 6 / 101, np.sqrt(6 * 95 / (101**2 * 102))
    assert abs(np.mean(recall) - expected) < 4 * spread / np.sqrt(2000)


def test_too_few_positives_raise_with_the_numbers():
    positive, y_score = draw(np.random.default_rng(6), n_positives=20)
    with pytest.raises(
        ValueError,
        match=r"Cannot promise recall >= 0.9 with confidence 0.9 for class 1 from 20 held-out "
        r"positives: 22 are needed, 2 are missing. They can carry recall >= 0.891; add positives",
    ):
        promise_of(positive, y_score)


def test_half_of_what_is_labelled_is_held_out():
    positive, y_score = draw(np.random.default_rng(6), n_positives=20)
    terms = _PromiseTerms(**{**TERMS.__dict__, "held_out_share": 0.5})
    with pytest.raises(ValueError, match="2 are missing, about 4 to label"):
        promise_of(positive, y_score, terms)


def test_too_few_positives_with_best():
    positive, y_score = draw(np.random.default_rng(6), n_positives=20)
    terms = _PromiseTerms(**{**TERMS.__dict__, "on_insufficient": "best"})
    with pytest.warns(UserWarning, match="2 are missing. Promising recall >= 0.891 instead"):
        promise = promise_of(positive, y_score, terms)
    assert promise.target_recall == pytest.approx(0.1 ** (1 / 20))
    assert promise.highest_threshold == y_score[positive].min()
    with pytest.raises(
        ValueError, match="from 0 held-out positives: 22 are needed, 22 are missing"
    ):
        promise_of(np.zeros(5, dtype=bool), np.arange(5.0), terms)


def test_units_of_groups():
    positive = np.array([True, False, True, False, False, True])
    y_score = np.array([0.1, 0.9, 0.5, 0.3, 0.4, 0.2])
    groups = np.array(["a", "a", "a", "b", "b", "c"])
    rng = np.random.RandomState(0)
    any_positive, any_score = promise_units(positive, y_score, groups, group_promise="any", rng=rng)
    assert any_positive.tolist() == [True, False, True]
    assert any_score.tolist() == [0.9, 0.4, 0.2]
    drawn = set()
    for seed in range(20):
        row_positive, row_score = promise_units(
            positive, y_score, groups, group_promise="row", rng=np.random.RandomState(seed)
        )
        assert row_positive.tolist() == [True, True, False, False, False]
        assert set(row_score[2:]) == {0.9, 0.3, 0.4}
        assert 0.2 in row_score[:2]
        drawn.update(row_score[:2])
    assert drawn == {0.1, 0.5, 0.2}


def test_a_threshold_that_flags_everything_says_so():
    """More than a tenth of the positives tie at the bottom, with all negatives."""
    positive = np.repeat([True, True, False], [40, 160, 300])
    y_score = np.concatenate([np.zeros(40), np.linspace(0.1, 1, 160), np.zeros(300)])
    with pytest.warns(
        UserWarning,
        match=r"keeps recall >= 0.9 of class 1 flags all of 500 held-out rows: none scores below "
        r"the lowest positives, 40 of 200 at 0\. Use a model that ranks better",
    ):
        promise = promise_of(positive, y_score)
    assert promise.threshold < 0


def test_scores_that_differ_in_their_last_digits_stay_together():
    """Identical parts, scored an ulp apart in one batch: the threshold is not between them."""
    positive, y_score = draw(np.random.default_rng(9))
    at_bound = promise_of(positive, y_score).highest_threshold
    twin = np.nextafter(at_bound, -1)
    promise = promise_of(np.append(positive, False), np.append(y_score, twin))
    assert promise.threshold < twin - 1e-9


def test_a_promise_reads_as_a_sentence():
    promise, curve = make_promise(
        *draw(np.random.default_rng(7)),
        TERMS,
        pos_label=np.str_("fraud"),
        stratum=np.int64(3),
        is_empirical=False,
    )
    promise = replace(promise, precision=0.5, alerts_per_1000=100.0)
    assert str(promise).startswith(
        "Promised: recall of class 'fraud' in stratum 3 >= 0.9 on unseen data, confidence 0.9, "
        "from 200 held-out positives: flag when the score is at least "
    )
    assert str(promise).endswith(
        "if future positives are exchangeable with these; on the held-out rows, precision 0.5 and "
        "100 alerts per 1000"
    )
    assert promise.to_dict()["n_positives"] == 200
    assert curve.n_positives == 200
    np.testing.assert_array_equal(curve.tp, operating_curve(*draw(np.random.default_rng(7))).tp)


@pytest.mark.parametrize(
    ("group_promise", "words"),
    [("any", "counted by groups with a flagged row"), ("row", "one row a group")],
)
def test_a_group_promise_says_what_it_counts(group_promise, words):
    terms = _PromiseTerms(**{**TERMS.__dict__, "group_promise": group_promise})
    said = str(promise_of(*draw(np.random.default_rng(7)), terms))
    assert words in said
    assert "from 200 held-out positive groups" in said


def test_an_empirical_threshold_claims_nothing():
    promise, _ = make_promise(
        *draw(np.random.default_rng(8)), TERMS, pos_label=1, stratum=None, is_empirical=True
    )
    assert str(promise).startswith("Empirical, not promised")
    assert np.isnan(promise.lower_bound)
