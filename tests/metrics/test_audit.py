import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom, binomtest

from skrecall.metrics import audit_recall_promise
from skrecall.metrics._audit import more_positives_needed, shows_broken, shows_kept

CASES = [(45, 60), (57, 60), (54, 60), (29, 29), (28, 28), (600, 620), (0, 1), (1, 1)]


def decisions(n_found, n_positives, n_negatives=50):
    y_true = np.repeat([1, 0], [n_positives, n_negatives])
    return y_true, np.repeat([1, 0], [n_found, n_positives - n_found + n_negatives])


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize(("n_found", "n_positives"), CASES)
def test_audit_is_scipy_s_exact_test(n_found, n_positives, confidence):
    audit = audit_recall_promise(
        *decisions(n_found, n_positives), target_recall=0.9, confidence=confidence
    )
    fewer = binomtest(n_found, n_positives, 0.9, alternative="less")
    more = binomtest(n_found, n_positives, 0.9, alternative="greater")
    assert_allclose(audit.p_value, fewer.pvalue)
    assert_allclose(audit.high, fewer.proportion_ci(confidence).high)
    assert_allclose(audit.low, more.proportion_ci(confidence).low)
    assert (audit.verdict == "broken") == (fewer.pvalue <= 1 - confidence)
    assert (audit.verdict == "kept") == (more.pvalue <= 1 - confidence)
    assert (audit.n_positives, audit.n_missed) == (n_positives, n_positives - n_found)
    assert audit.batch_kept == (10 * n_found >= 9 * n_positives)


@pytest.mark.parametrize(("n_found", "n_positives"), CASES)
def test_verdict_agrees_with_the_bounds(n_found, n_positives):
    audit = audit_recall_promise(*decisions(n_found, n_positives), target_recall=0.9)
    assert (audit.verdict == "broken") == (audit.high < 0.9)
    assert (audit.verdict == "kept") == (audit.low > 0.9)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("n_positives", [10, 45, 200])
@pytest.mark.parametrize("target_recall", [0.8, 0.9, 0.99])
def test_error_rates_by_enumeration(target_recall, n_positives, confidence):
    """At the target itself, the worst case of both hypotheses, each verdict is rarely wrong."""
    found = np.arange(n_positives + 1)
    probability = binom.pmf(found, n_positives, target_recall)
    terms = {"target_recall": target_recall, "confidence": confidence}
    assert probability[shows_broken(found, n_positives, **terms)].sum() <= 1 - confidence
    assert probability[shows_kept(found, n_positives, **terms)].sum() <= 1 - confidence


def test_false_alarms_and_power_by_simulation():
    """800 audits of 150 positives: exact rates, within 4 binomial standard errors."""
    rng = np.random.default_rng(0)
    n_audits, n_positives = 800, 150
    found = np.arange(n_positives + 1)
    for true_recall in (0.9, 0.85, 0.8):
        verdicts = [
            audit_recall_promise(
                *decisions(rng.binomial(n_positives, true_recall), n_positives, 5),
                target_recall=0.9,
            ).verdict
            for _ in range(n_audits)
        ]
        probability = binom.pmf(found, n_positives, true_recall)
        expected = probability[binom.cdf(found, n_positives, 0.9) <= 0.05].sum()
        error = np.sqrt(expected * (1 - expected) / n_audits)
        assert abs(verdicts.count("broken") / n_audits - expected) <= 4 * error
        assert verdicts.count("kept") / n_audits <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / n_audits)
        if true_recall == 0.9:
            assert 0.02 < expected <= 0.05
        if true_recall == 0.8:
            assert expected > 0.95


@pytest.mark.parametrize(
    ("n_found", "n_positives", "target_recall"),
    [(57, 60, 0.9), (28, 28, 0.9), (3, 3, 0.95), (50, 60, 0.9), (8, 10, 0.9), (1, 1, 0.5)],
)
def test_number_of_further_positives_is_that_of_a_plain_loop(n_found, n_positives, target_recall):
    terms = {"target_recall": target_recall, "confidence": 0.95}
    above = n_found / n_positives >= target_recall
    total = n_positives
    while True:
        misses = (n_positives - n_found) * total / n_positives
        found = total - int(np.ceil(misses - 1e-9) if above else np.floor(misses + 1e-9))
        side = "greater" if above else "less"
        if binomtest(found, total, target_recall, alternative=side).pvalue <= 0.05:
            break
        total += 1
    assert more_positives_needed(n_found, n_positives, **terms) == total - n_positives


def test_no_number_settles_a_recall_at_the_target():
    audit = audit_recall_promise(*decisions(54, 60), target_recall=0.9)
    assert audit.verdict == "cannot tell"
    assert audit.n_more_needed is None
    assert str(audit).startswith("Cannot tell: recall is too close to 0.9 (confidence 0.95).")


@pytest.mark.parametrize(
    ("n_found", "start"),
    [
        (45, "Broken: recall is below 0.9 (confidence 0.95). Found 45 of 60 positives"),
        (60, "Kept: recall is at least 0.9 (confidence 0.95). Found 60 of 60 positives"),
        (57, "Cannot tell: 56 more positive(s) needed if recall stays as it is"),
    ],
)
def test_verdict_in_words(n_found, start):
    assert str(audit_recall_promise(*decisions(n_found, 60), target_recall=0.9)).startswith(start)


def test_frame_holds_the_audit():
    audit = audit_recall_promise(*decisions(45, 60), target_recall=0.9)
    frame = audit.frame()
    assert frame.to_dict("records") == [dataclasses.asdict(audit)]


def test_any_counts_groups_that_have_a_flagged_row():
    # tumour found by its row; by another row of the patient; missed; a healthy patient
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    y_true = np.array([1, 1, 1, 0, 1, 1, 0, 0])
    y_pred = np.array([1, 0, 0, 1, 0, 0, 1, 0])
    audit = audit_recall_promise(y_true, y_pred, groups=groups, target_recall=0.5)
    assert (audit.n_positives, audit.n_missed) == (3, 1)
    assert audit.unit == "positive group"


def test_row_draws_one_positive_row_of_each_group():
    groups = np.array([0, 0, 1, 1, 1, 2, 2])
    y_true = np.array([1, 0, 1, 1, 1, 1, 1])
    y_pred = np.array([1, 0, 0, 0, 0, 1, 0])
    audits = [
        audit_recall_promise(
            y_true,
            y_pred,
            groups=groups,
            target_recall=0.5,
            group_promise="row",
            random_state=seed,
        )
        for seed in range(200)
    ]
    assert {audit.n_positives for audit in audits} == {3}
    n_found = np.array([3 - audit.n_missed for audit in audits])
    assert set(n_found) == {1, 2}  # group 0 always, group 1 never, group 2 every other time
    assert abs(np.mean(n_found == 2) - 0.5) < 4 * np.sqrt(0.25 / 200)


@pytest.mark.parametrize("group_promise", ["any", "row"])
def test_groups_keep_the_false_alarm_rate(group_promise):
    """40 patients x 5 rows, correlation 0.8: rows taken as independent are broken far too often."""
    rng = np.random.default_rng(1)
    n_audits, groups = 500, np.repeat(np.arange(41), 5)
    y_true = (groups < 40).astype(int)
    false_alarms = {"grouped": 0, "rows": 0}
    shape = 0.25 * np.array([0.9, 0.1])  # a beta distribution of mean 0.9 and correlation 0.8
    for _ in range(n_audits):
        recall = rng.beta(*shape, 41)
        y_pred = (rng.random(205) < recall[groups]).astype(int)
        y_pred[y_true == 0] = 0
        # recall of a random row is 0.9; of "any" it is higher, so that 0.9 is kept there too
        audit = audit_recall_promise(
            y_true,
            y_pred,
            groups=groups,
            target_recall=0.9,
            group_promise=group_promise,
            random_state=rng.integers(1 << 31),
        )
        false_alarms["grouped"] += audit.verdict == "broken"
        rows = audit_recall_promise(y_true, y_pred, target_recall=0.9)
        false_alarms["rows"] += rows.verdict == "broken"
    assert false_alarms["grouped"] / n_audits <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_audits)
    assert false_alarms["rows"] / n_audits > 0.12


@pytest.mark.parametrize(
    ("arguments", "params", "message"),
    [
        (
            ([1, 1, 0], [1, 1, 1]),
            {},
            "All 3 labelled rows were flagged. Rows labelled only when flagged cannot test recall",
        ),
        (([0, 0], [0, 1]), {}, "holds no positive"),
        (([0, 1], [0.1, 0.9]), {}, "y_pred holds continuous values"),
        (([0, np.nan], [0, 1]), {}, "y_true contains NaN"),
        (([0, 1], [0, 1]), {"target_recall": 1.0}, "target_recall=1 cannot be audited: one miss"),
        (([0, 1], [0, 1]), {"target_recall": 90}, "target_recall=90 is not a share"),
        (([0, 1], [0, 1]), {"confidence": 0}, "confidence=0 is not a share"),
        (([0, 1], [0, 1]), {"group_promise": "all"}, "group_promise='all' must be one of"),
        (([0, 1], [0, 1]), {"groups": [1, 2, 3]}, "inconsistent numbers of samples"),
    ],
)
def test_bad_input_is_named(arguments, params, message):
    with pytest.raises(ValueError, match=message):
        audit_recall_promise(*arguments, **{"target_recall": 0.9, **params})


def test_a_constant_label_is_enough_with_pos_label():
    audit = audit_recall_promise(
        ["fraud"] * 5, ["fraud"] * 4 + ["ham"], target_recall=0.5, pos_label="fraud"
    )
    assert (audit.n_positives, audit.n_missed, audit.pos_label) == (5, 1, "fraud")
