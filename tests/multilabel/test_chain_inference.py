import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrecall.multilabel._chain_inference import beam_search, draw_label_sets, greedy_path

N_ROWS, N_LABELS = 6, 4
ALL = list(itertools.product([0, 1], repeat=N_LABELS))


@pytest.fixture(scope="module")
def joint():
    """A distribution over all label sets for each row, with no structure at all."""
    return np.random.default_rng(0).dirichlet(np.full(len(ALL), 0.5), N_ROWS)


@pytest.fixture(scope="module")
def conditional(joint):
    def ask(rows, prefixes):
        proba = np.empty(len(rows))
        for i, (row, prefix) in enumerate(zip(rows, prefixes, strict=True)):
            place = len(prefix)
            same = [k for k, y in enumerate(ALL) if y[:place] == tuple(prefix)]
            ones = [k for k in same if ALL[k][place] == 1]
            proba[i] = joint[row, ones].sum() / joint[row, same].sum()
        return proba

    return ask


@pytest.mark.parametrize("width", [None, 2 ** (N_LABELS - 1), 100])
def test_a_full_beam_is_the_joint_distribution(joint, conditional, width):
    found = beam_search(conditional, N_ROWS, N_LABELS, width)
    for row in range(N_ROWS):
        listed = {tuple(y): p for y, p in zip(found.sets[row], found.weight[row], strict=True)}
        assert_allclose([listed[y] for y in ALL], joint[row], atol=1e-12)
    assert_allclose(np.exp(found.log_proba), found.weight)
    assert_allclose(found.marginals, joint @ np.array(ALL))
    assert_array_equal(found.likeliest(), np.array(ALL)[joint.argmax(axis=1)])


def test_a_beam_of_one_is_the_greedy_path(conditional):
    found = beam_search(conditional, N_ROWS, N_LABELS, 1)
    assert_array_equal(found.likeliest(), greedy_path(conditional, N_ROWS, N_LABELS) >= 0.5)


def test_the_greedy_path_takes_1_at_one_half():
    def even(rows, prefixes):
        return np.full(len(rows), 0.5)

    assert_array_equal(greedy_path(even, 2, 3), np.full((2, 3), 0.5))
    assert_array_equal(beam_search(even, 2, 3, 1).likeliest(), np.ones((2, 3)))

    def repeat(rows, prefixes):
        return prefixes[:, -1] + 0.0 if prefixes.shape[1] else even(rows, prefixes)

    assert_array_equal(greedy_path(repeat, 2, 3), [[0.5, 1, 1]] * 2)


@pytest.mark.parametrize("width", [2, 3, 5])
def test_a_beam_is_a_plain_loop(conditional, width):
    found = beam_search(conditional, N_ROWS, N_LABELS, width)
    for row in range(N_ROWS):
        beam = [((), 1.0)]
        for _ in range(N_LABELS):
            beam = sorted(beam, key=lambda item: -item[1])[:width]
            grown = []
            for prefix, chance in beam:
                p = conditional([row], [prefix])[0]
                grown += [((*prefix, 1), chance * p), ((*prefix, 0), chance * (1 - p))]
            beam = grown
        total = sum(chance for _, chance in beam)
        listed = {tuple(y): p for y, p in zip(found.sets[row], found.weight[row], strict=True)}
        assert listed == pytest.approx({y: chance / total for y, chance in beam})


def test_draws_converge_to_the_joint_distribution(joint, conditional):
    n_draws = 20_000
    uniforms = np.random.default_rng(0).uniform(size=(n_draws, N_LABELS))
    found = draw_label_sets(conditional, N_ROWS, uniforms)
    four_errors = 4 * np.sqrt(0.25 / n_draws)
    assert_allclose(found.marginals, joint @ np.array(ALL), atol=four_errors)
    for row in range(N_ROWS):
        share = [(found.sets[row] == y).all(axis=1).mean() for y in ALL]
        assert_allclose(share, joint[row], atol=four_errors)
        code = found.sets[row] @ 2 ** np.arange(N_LABELS)[::-1]
        assert_allclose(np.exp(found.log_proba[row]), joint[row, code])
    assert_allclose(found.weight.sum(axis=1), 1)


def test_draws_of_a_row_do_not_depend_on_the_others(conditional):
    uniforms = np.random.default_rng(0).uniform(size=(50, N_LABELS))
    asked = []

    def counted(rows, prefixes):
        asked.append(len(rows))
        return conditional(rows, prefixes)

    found = draw_label_sets(counted, N_ROWS, uniforms)
    first = draw_label_sets(conditional, 1, uniforms)
    assert_array_equal(first.sets[0], found.sets[0])
    assert asked[0] == N_ROWS  # once per row and beginning, not once per draw
    assert max(asked) <= N_ROWS * 2 ** (N_LABELS - 1)


def test_what_never_occurs_has_no_weight():
    def certain(rows, prefixes):
        return (np.asarray(rows) % 2).astype(float)

    for found in (
        beam_search(certain, 2, 3),
        beam_search(certain, 2, 3, 2),
        draw_label_sets(certain, 2, np.random.default_rng(0).uniform(size=(9, 3))),
    ):
        assert_array_equal(found.likeliest(), [[0, 0, 0], [1, 1, 1]])
        assert_allclose(found.marginals, [[0, 0, 0], [1, 1, 1]], atol=1e-15)


def test_many_labels_do_not_underflow():
    def likely(rows, prefixes):
        return np.full(len(rows), 0.6)

    n_labels = 2000  # 0.6 ** 2000 is 0 in double precision
    found = beam_search(likely, 1, n_labels, 2)
    assert_array_equal(found.likeliest(), np.ones((1, n_labels)))
    assert_allclose(found.log_proba.max(), n_labels * np.log(0.6))
    assert_allclose(found.weight.sum(), 1)
