import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrecall.active_learning import expected_recall_gain
from skrecall.threshold import positives_needed


def best_recall(n_positives, confidence):
    return (1 - confidence) ** (1 / n_positives) if n_positives else 0.0


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_gain_is_that_of_a_plain_loop(confidence):
    rng = np.random.RandomState(0)
    proba, counts = rng.uniform(size=(20, 3)), [0, 4, 60]
    expected = []
    for row in proba:
        gains = [
            p * (best_recall(n + 1, confidence) - best_recall(n, confidence))
            for p, n in zip(row, counts, strict=True)
        ]
        expected.append(sum(gains) / 3)
    assert_allclose(expected_recall_gain(proba, counts, confidence=confidence), expected)


def test_best_recall_is_what_positives_needed_inverts():
    for n in (5, 22, 45):
        gain = expected_recall_gain([1.0], n)[0]
        target = best_recall(n, 0.9) + 1e-9
        assert positives_needed(target, 0.9) == n + 1
        assert best_recall(n, 0.9) + gain == pytest.approx(best_recall(n + 1, 0.9))


def test_one_label_is_asked_for_by_probability_and_worth_less_with_every_positive():
    proba = np.random.RandomState(0).uniform(size=30)
    gain = expected_recall_gain(proba, 3)
    assert np.array_equal(np.argsort(gain), np.argsort(proba))
    gains = [expected_recall_gain([0.5], n)[0] for n in range(2, 100)]
    assert np.all(np.diff(gains) < 0)


def test_the_label_that_lacks_positives_comes_first():
    gain = expected_recall_gain(np.eye(2), [2, 200])
    assert gain[0] > 100 * gain[1]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (([0.5], -1), "must be the number of labelled positives, 0 or more"),
        (([0.5], 1.5), "must be the number of labelled positives"),
        (([[0.5, 0.5]], [1]), "holds 1 counts for 2 labels.* pass predict_proba"),
        (([2.0], 1), "probabilities are between 0 and 1"),
        (([0.5], 1, 1.0), "confidence=1.0 is not a share"),
    ],
)
def test_bad_input_is_refused(args, message):
    confidence = {"confidence": args[2]} if len(args) == 3 else {}
    with pytest.raises(ValueError, match=message):
        expected_recall_gain(*args[:2], **confidence)
