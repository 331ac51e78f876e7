import itertools
import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.label_space import (
    hierarchical_partition,
    k_means_partition,
    random_label_subsets,
    random_partition,
)
from skrecall.label_space._partitions import _fill, balanced_k_means, check_partition, parts_of


def two_groups(n_samples=200, n_labels=8):
    """Labels of even index occur in the first half of the rows, the others in the second."""
    rng = np.random.default_rng(0)
    Y = (rng.random((n_samples, n_labels)) < 0.6).astype(int)
    first_half = np.arange(n_samples)[:, None] < n_samples // 2
    return Y * (first_half == (np.arange(n_labels) % 2 == 0))


EVEN_AND_ODD = [[0, 2, 4, 6], [1, 3, 5, 7]]


def as_lists(partition):
    return [part.tolist() for part in partition]


def test_random_partition_is_disjoint_complete_and_seeded():
    parts = random_partition(10, 4, random_state=1)
    assert [len(part) for part in parts] == [4, 4, 2]
    assert sorted(np.concatenate(parts)) == list(range(10))
    assert all((np.diff(part) > 0).all() for part in parts)
    assert as_lists(parts) == as_lists(random_partition(10, 4, random_state=1))
    assert as_lists(parts) != as_lists(random_partition(10, 4, random_state=2))
    assert as_lists(random_partition(2, 5, random_state=0)) == [[0, 1]]


@pytest.mark.parametrize("cover", [True, False])
@pytest.mark.parametrize(("n_labels", "size"), [(4, 2), (6, 3), (7, 3), (50, 3), (3, 3), (5, 1)])
def test_random_label_subsets_are_distinct(n_labels, size, cover):
    subsets = random_label_subsets(n_labels, size, cover=cover, random_state=0)
    assert len(subsets) == min(2 * n_labels, math.comb(n_labels, size))
    assert len({tuple(subset) for subset in subsets}) == len(subsets)
    for subset in subsets:
        assert len(subset) == size
        assert (np.diff(subset) > 0).all()
    if cover:
        assert_array_equal(np.unique(np.concatenate(subsets)), np.arange(n_labels))


def test_random_label_subsets_can_be_all_there_are():
    for cover in (True, False):
        subsets = random_label_subsets(5, 2, 10, cover=cover, random_state=3)
        assert sorted(map(tuple, subsets)) == list(itertools.combinations(range(5), 2))


def test_random_label_subsets_are_uniform():
    """A subset of 2 of 4 labels is any of six, with or without the promise to cover."""
    for cover in (True, False):
        counts = dict.fromkeys(itertools.combinations(range(4), 2), 0)
        for seed in range(600):
            for subset in random_label_subsets(4, 2, 2, cover=cover, random_state=seed):
                counts[tuple(subset)] += 1
        assert max(abs(count - 200) for count in counts.values()) < 50  # 4 standard deviations


def test_random_label_subsets_say_what_cannot_be():
    with pytest.raises(ValueError, match="no subsets of 4 of 3 labels"):
        random_label_subsets(3, 4)
    with pytest.raises(ValueError, match="n_subsets=7, and there are 6 subsets of 2 of 4"):
        random_label_subsets(4, 2, 7)
    with pytest.raises(ValueError, match="2 subsets of 3 labels cannot cover 9 labels: ask for 3"):
        random_label_subsets(9, 3, 2)
    assert len(random_label_subsets(9, 3, 2, cover=False, random_state=0)) == 2
    with pytest.raises(ValueError, match="part_size=0 must be a whole number, 1 or more"):
        random_partition(9, 0)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_k_means_and_hierarchical_find_labels_of_the_same_rows(container):
    Y = container(two_groups())
    assert as_lists(k_means_partition(Y, 2, random_state=0)) == EVEN_AND_ODD
    for linkage in ("average", "complete"):
        assert as_lists(hierarchical_partition(Y, 2, linkage=linkage)) == EVEN_AND_ODD


@pytest.mark.parametrize(("n_labels", "n_parts"), [(7, 3), (8, 8), (5, 1), (23, 4)])
def test_balanced_k_means_is_balanced_and_the_same_for_sparse(n_labels, n_parts):
    vectors = (np.random.default_rng(1).random((n_labels, 30)) < 0.4).astype(np.int8)
    assignment = balanced_k_means(vectors, n_parts, 0)
    sizes = np.bincount(assignment, minlength=n_parts)
    assert sizes.max() - sizes.min() <= 1
    assert_array_equal(assignment, balanced_k_means(csr_array(vectors), n_parts, 0))


def test_balanced_k_means_of_equal_vectors():
    assert sorted(np.bincount(balanced_k_means(np.zeros((5, 3)), 2, 0))) == [2, 3]


def test_fill_is_the_insertion_of_one_after_the_other():
    """HOMER inserts labels one by one and passes the furthest of a full cluster on."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        distance, capacity = rng.random((11, 3)), np.array([4, 4, 3])
        clusters = [[], [], []]
        preference = np.argsort(distance, axis=1)
        for label in range(11):
            homeless = label
            while homeless is not None:
                asked = next(
                    k
                    for k in preference[homeless]
                    if len(clusters[k]) < capacity[k]
                    or distance[homeless, k] < max(distance[other, k] for other in clusters[k])
                )
                clusters[asked].append(homeless)
                homeless = None
                if len(clusters[asked]) > capacity[asked]:
                    homeless = max(clusters[asked], key=lambda other: distance[other, asked])
                    clusters[asked].remove(homeless)
        expected = [next(k for k in range(3) if label in clusters[k]) for label in range(11)]
        assert_array_equal(_fill(distance, capacity), expected)


def test_labels_without_positives_and_one_label():
    Y = two_groups()
    Y[:, 7] = 0
    for parts in (k_means_partition(Y, 3, random_state=0), hierarchical_partition(Y, 3)):
        assert sorted(np.concatenate(parts)) == list(range(8))
        assert len(parts) == 3
    assert as_lists(k_means_partition(Y[:, :1], 1)) == [[0]]
    assert as_lists(hierarchical_partition(Y[:, :1], 1)) == [[0]]
    for partition in (k_means_partition, hierarchical_partition):
        with pytest.raises(ValueError, match="8 labels cannot be parted into 9 parts"):
            partition(Y, 9)


def test_check_partition():
    assert as_lists(check_partition([[2, 0], (1,)], 3)) == [[0, 2], [1]]
    assert as_lists(check_partition([[0, 1], [1, 2]], 3)) == [[0, 1], [1, 2]]
    for parts, message in [
        ([[0], []], "Part 1 of the partition is"),
        ([[0.5]], "a part is a list of label indices"),
        ([[0, 3]], r"Part 0 of the partition holds \[3\], and the 3 labels"),
        ([[0, 0, 1, 2]], "names a label twice"),
        ([[1]], r"Labels \[0, 2\] are in no part of the partition, 2 of 3"),
        ([], "Labels .* are in no part"),
    ]:
        with pytest.raises(ValueError, match=message):
            check_partition(parts, 3)


def test_parts_of():
    assert as_lists(parts_of(np.array([5, 2, 5, 9, 2]))) == [[0, 2], [1, 4], [3]]
