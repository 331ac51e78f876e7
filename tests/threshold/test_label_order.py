import numpy as np
import pytest

from skrecall.threshold._evidence import Evidence
from skrecall.threshold._label_order import label_threshold, label_thresholds, refuse_overlap
from skrecall.threshold._promise import _PromiseTerms, make_promise


def test_threshold_is_midway_between_positives_of_the_class():
    y_score_pos = np.array([0.5, -np.inf, 0.2, 0.9])
    assert label_threshold(y_score_pos, 3) == pytest.approx(0.35)
    assert label_threshold(y_score_pos, 2) == pytest.approx(0.2 - 0.15)
    assert label_threshold(y_score_pos, 1) == -np.inf
    assert label_threshold(np.full(3, -np.inf), 2) == -np.inf


def test_tiny_probabilities_are_told_apart():
    """A saturated net: a tolerance relative to the spread would flag everything."""
    y_score_pos = np.array([2.1e-12, 2.0e-11, 0.3, 0.999])
    assert 2.1e-12 < label_threshold(y_score_pos, 2) < 2.0e-11


def loop(y, y_score, labels, ranks):
    """Class by class: its lowest scores are those that earlier classes took."""
    taken = np.zeros(len(y), dtype=bool)
    thresholds = []
    for j, (label, rank) in enumerate(zip(labels, ranks, strict=True)):
        own = sorted(
            s for s, t in zip(y_score[y == label, j], taken[y == label], strict=True) if not t
        )
        n_lost = int(taken[y == label].sum())
        k = rank - n_lost - 1
        if k < 0:
            thresholds.append(-np.inf)
        elif k == 0:
            thresholds.append(own[0] - (own[1] - own[0]) / 2)
        else:
            thresholds.append((own[k] + own[k - 1]) / 2)
        taken |= ~taken & (y_score[:, j] >= thresholds[-1])
    return thresholds


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_count_what_earlier_classes_take(seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(["a", "b", "c"], size=900)
    labels = np.array(["c", "a"])
    y_score = rng.standard_normal((900, 2)) + 4 * (y[:, None] == labels)
    evidence = Evidence(labels, np.array([None]), y, y_score, None, None, 0, False, 0.5)
    terms = _PromiseTerms(0.8, 0.9, 2, None, None, "raise")
    promises = [
        make_promise(
            *evidence.units(j, None, None), terms, pos_label=label, stratum=None, is_empirical=False
        )[0]
        for j, label in enumerate(labels)
    ]
    thresholds, n_taken = label_thresholds(evidence, promises, None)
    expected = loop(y, y_score, labels, [promise.rank for promise in promises])
    np.testing.assert_allclose(thresholds[0], expected)
    assert n_taken[0].tolist() == [0, np.sum(y_score[y == "a", 0] >= expected[0])]
    refuse_overlap(thresholds, n_taken, promises)
    with pytest.raises(
        ValueError,
        match=r"take 99 of \d+ held-out positives of class 'a', and its recall >= 0.8 can spare",
    ):
        refuse_overlap(np.array([[0.0, -np.inf]]), np.array([[0, 99]]), promises)
