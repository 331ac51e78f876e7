import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom

from skrecall.ensemble._cascade import (
    cheapest_shares,
    running_levels,
    score_levels,
    stage_shares,
)


def draw(n=400, n_stages=2, prevalence=0.2, seed=0, decimals=None):
    rng = np.random.default_rng(seed)
    positive = rng.uniform(size=n) < prevalence
    scores = rng.standard_normal((n, n_stages)) + 1.5 * positive[:, None]
    return scores if decimals is None else scores.round(decimals), positive


def level_by_loop(y_score, positive, score):
    """The definition, for one of the scores themselves."""
    of_positives = sorted(set(y_score[positive]))
    total = positive.sum() + 1
    lost = np.sum(y_score[positive] <= score)
    if score in of_positives:
        return lost / total
    lower = max([s for s in of_positives if s < score], default=-np.inf)
    upper = min([s for s in of_positives if s > score], default=np.inf)
    lost_next = np.sum(y_score[positive] <= upper) if np.isfinite(upper) else total
    between = np.unique(y_score[(y_score > lower) & (y_score < upper)], return_counts=True)
    rank = between[1][between[0] <= score].sum()
    return (lost + (lost_next - lost) * rank / (between[1].sum() + 1)) / total


@pytest.mark.parametrize("decimals", [None, 1, 0])
def test_levels_are_those_of_the_definition(decimals):
    scores, positive = draw(decimals=decimals)
    y_score = scores[:, 0]
    levels = score_levels(y_score, positive)
    by_loop = [level_by_loop(y_score, positive, score) for score in y_score]
    assert_allclose(levels(y_score), by_loop, rtol=1e-12)
    assert np.all(np.diff(levels.levels) > 0)
    assert levels.levels[0] > 0
    assert levels.levels[-1] < 1


def test_only_the_order_of_the_scores_counts():
    scores, positive = draw()
    y_score = scores[:, 0]
    logits = score_levels(y_score, positive)(y_score)
    shares = 1 / (1 + np.exp(-y_score))
    assert_allclose(score_levels(shares, positive)(shares), logits, rtol=1e-12)


def test_levels_without_negatives_and_beyond_the_knots():
    levels = score_levels(np.array([3.0, 1.0, 2.0]), np.ones(3, dtype=bool))
    assert_array_equal(levels(np.array([0.0, 1.0, 1.5, 3.0, 9.0])), [0.25, 0.25, 0.375, 0.75, 0.75])


def test_scores_that_differ_in_their_last_digits_are_one_knot():
    positive = np.array([True, True, False])
    levels = score_levels(np.array([0.3, 0.1 + 0.2, 0.1]), positive)
    assert len(levels.scores) == 2
    assert_allclose(levels(np.array([0.3, 0.1 + 0.2])), [2 / 3, 2 / 3])


@pytest.mark.parametrize("decimals", [None, 1])
def test_threshold_is_where_the_level_is_reached(decimals):
    scores, positive = draw(decimals=decimals)
    y_score = scores[:, 0]
    levels = score_levels(y_score, positive)
    reached = levels(y_score)
    for level in np.linspace(0.001, 0.9, 50):
        threshold = levels.threshold(level)
        assert_array_equal(y_score >= threshold, reached >= level)
    assert levels.threshold(levels.levels[0]) == -np.inf


def test_a_threshold_keeps_the_scores_whose_level_comes_back_rounded():
    scores, positive = draw(decimals=1)
    levels = score_levels(scores[:, 0], positive)
    came_back = 0
    for share in np.linspace(0.1, 0.9, 41):
        budget = levels.levels[1:] / share  # as the promise has it: a minimum of level over share
        came_back += np.sum(budget * share > levels.levels[1:])
        thresholds = np.array([levels.threshold(level) for level in budget * share])
        assert np.all(thresholds <= levels.scores[1:])
        assert np.all(thresholds > levels.scores[:-1])
    assert came_back > 0


def test_a_row_is_in_play_while_the_budget_is_at_most_its_running_level():
    scores, positive = draw(n_stages=3)
    columns = [score_levels(column, positive) for column in scores.T]
    levels = np.column_stack([c(s) for c, s in zip(columns, scores.T, strict=True)])
    shares = np.array([0.5, 0.2, 0.3])
    running = running_levels(levels, shares)
    for budget in (0.05, 0.2, 0.5):
        thresholds = [c.threshold(budget * w) for c, w in zip(columns, shares, strict=True)]
        for s in range(3):
            passes = np.all(scores[:, : s + 1] >= thresholds[: s + 1], axis=1)
            assert_array_equal(running[:, s] >= budget, passes)
        # a stage alone loses no more tuning positives than its share allows
        lost = np.mean(scores[positive] < thresholds, axis=0)
        assert np.all(lost <= budget * shares * (positive.sum() + 1) / positive.sum())


def test_a_stage_without_a_share_lets_all_pass_and_scores_none():
    levels = np.array([[0.1, 0.4], [0.9, 0.2], [0.5, 0.8]])
    shares = np.array([0.0, 1.0])
    running = running_levels(levels, shares)
    assert_array_equal(running[:, 0], np.inf)
    assert_array_equal(running[:, 1], levels[:, 1])
    scored, passed = stage_shares(running, 0.4, shares)
    assert_array_equal(scored, [0, 1])
    assert_allclose(passed, [1, 2 / 3])


def cost_by_loop(levels, positive, shares, loss, stage_costs, alert_cost):
    m = positive.sum()
    running = [
        min(level / share if share else np.inf for level, share in zip(row, shares, strict=True))
        for row in levels
    ]
    chances = binom.pmf(np.arange(m), m, loss)
    expected, total = 0.0, 0.0
    for chance, budget in zip(chances, np.sort(np.array(running)[positive]), strict=True):
        if chance <= 1e-3 * chances.max():
            continue
        cost = 0.0
        for row in levels:
            in_play = True
            for s, share in enumerate(shares):
                if share and in_play:
                    cost += stage_costs[s]
                    in_play = row[s] / share >= budget
            cost += alert_cost * in_play
        expected, total = expected + chance * cost / len(levels), total + chance
    return expected / total


@pytest.mark.parametrize("stage_costs", [(1, 1), (1, 10), (1, 200)])
@pytest.mark.parametrize("alert_cost", [0, 5, 1000])
def test_cheapest_shares_beat_a_grid(stage_costs, alert_cost):
    scores, positive = draw(n=150, seed=1)
    scores[:, 1] += positive  # the costly stage is better
    columns = [score_levels(column, positive)(column) for column in scores.T]
    levels, stage_costs = np.column_stack(columns), np.array(stage_costs, dtype=float)
    shares = cheapest_shares(
        levels, positive, loss=0.1, stage_costs=stage_costs, alert_cost=alert_cost
    )
    assert shares.sum() == pytest.approx(1)
    found = cost_by_loop(levels, positive, shares, 0.1, stage_costs, alert_cost)
    on_grid = [
        cost_by_loop(levels, positive, np.array([w, 1 - w]), 0.1, stage_costs, alert_cost)
        for w in np.arange(11) / 10
    ]
    assert found <= min(on_grid) + 1e-9


def test_costs_decide_which_stage_may_lose_more():
    scores, positive = draw(n=2000, n_stages=2, seed=2)
    scores[:, 1] += 2 * positive
    levels = np.column_stack([score_levels(column, positive)(column) for column in scores.T])

    def first_share(costs, alert_cost):
        return cheapest_shares(
            levels, positive, loss=0.1, stage_costs=np.array(costs), alert_cost=alert_cost
        )[0]

    assert first_share([1.0, 1.0], 1000.0) < first_share([1.0, 1000.0], 1.0)
    # an expensive first stage that separates worse is skipped, and so is a last one nobody needs
    assert first_share([100.0, 1.0], 10.0) == 0
    assert first_share([1.0, 100.0], 0.0) == 1
