import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix, issparse
from sklearn.metrics import pairwise_distances

from skrecall.resampling._mixed_features import as_mixed_features, most_frequent_neighbor, round_to

PAIRS = np.array([[0, 1], [5, 9], [3, 3], [30, 2], [8, 7]])


def make_frame(n_samples=40, seed=0):
    rng = np.random.RandomState(seed)
    return pd.DataFrame(
        {
            "age": rng.randint(18, 90, size=n_samples).astype(np.int8),
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], size=n_samples)),
            "height": rng.normal(170, 10, size=n_samples).astype(np.float32),
            "city": rng.choice(["Rome", "Oslo"], size=n_samples).astype(object),
            "member": rng.uniform(size=n_samples) < 0.5,
            "visits": pd.array(rng.randint(0, 9, size=n_samples), dtype="Int64"),
        },
        index=np.arange(n_samples) + 5,
    )


def plain_distances(numbers, categories):
    """Squared differences of the numbers, and the squared median deviation per other category."""
    spread = np.median([np.std(column) for column in numbers.T])
    squares = ((numbers[:, np.newaxis] - numbers) ** 2).sum(axis=2)
    for column in categories.T:
        squares += spread**2 * (column[:, np.newaxis] != column)
    return np.sqrt(squares)


def between(features, *, one_step=False, sources=None, seed=0, pairs=PAIRS):
    if sources is None:
        sources = np.tile(pairs[:, :1], (1, features.codes.shape[1]))
    return features.append_between(
        *pairs.T, sources, np.random.RandomState(seed), one_step=one_step
    )


@pytest.mark.parametrize(
    "categorical",
    [
        "auto",
        ["colour", "city", "member"],
        [4, 1, 3],
        np.array([False, True, False, True, True, False]),
    ],
    ids=str,
)
def test_distances_between_rows_of_mixed_columns(categorical):
    frame = make_frame()
    features = as_mixed_features(frame, categorical)
    numbers = frame[["age", "height", "visits"]].to_numpy(dtype=float)
    names = frame[["colour", "city", "member"]].to_numpy(dtype=object)
    expected = plain_distances(numbers, names)
    assert_allclose(pairwise_distances(features.matrix), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("container", [np.asarray, csr_array, csc_array, coo_array])
def test_distances_of_coded_categories_in_arrays(container):
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.normal(size=(30, 2)), rng.randint(0, 4, size=(30, 2))])[
        :, [2, 0, 3, 1]
    ]
    features = as_mixed_features(container(X), [0, 2])
    assert issparse(features.matrix) == (container is not np.asarray)
    expected = plain_distances(X[:, [1, 3]], X[:, [0, 2]])
    assert_allclose(pairwise_distances(features.matrix), expected, atol=1e-7)


def test_many_categories_are_held_sparse():
    X = np.column_stack([np.arange(200) % 97, np.linspace(0, 1, 200)])
    features = as_mixed_features(X, [0])
    assert issparse(features.matrix)
    assert features.matrix.nnz <= 2 * len(X)
    assert_allclose(
        pairwise_distances(features.matrix), plain_distances(X[:, 1:], X[:, :1]), atol=1e-7
    )


def test_categories_alone_count_those_that_differ():
    X = np.random.RandomState(0).randint(0, 3, size=(20, 4))
    distances = pairwise_distances(as_mixed_features(X, [0, 1, 2, 3]).matrix)
    assert_allclose(distances**2, (X[:, np.newaxis] != X).sum(axis=2), atol=1e-12)


def test_numbers_are_not_copied():
    for dtype in (np.float64, np.float32):
        X = np.ones((5, 2), dtype=dtype)
        assert np.shares_memory(as_mixed_features(X).matrix, X)


@pytest.mark.parametrize("one_step", [False, True])
@pytest.mark.parametrize("container", [np.asarray, csr_array, csr_matrix, csc_array, coo_array])
def test_rows_between_two_one_number_at_a_time(container, one_step):
    X = np.random.RandomState(0).normal(size=(40, 5)) * (np.random.RandomState(1).rand(40, 5) < 0.6)
    X_new, position = between(as_mixed_features(container(X)), one_step=one_step)
    rng = np.random.RandomState(0)
    expected, at = [], []
    for i, j in PAIRS:
        row = X[i].copy()
        step = rng.uniform() if one_step else None
        for f in range(X.shape[1]):
            if X[i, f] != X[j, f]:
                share = rng.uniform() if step is None else step
                row[f] = X[i, f] + share * (X[j, f] - X[i, f])
        near, far = np.linalg.norm(row - X[i]), np.linalg.norm(row - X[j])
        expected.append(row)
        at.append(near / (near + far) if near + far else 0.5)
    assert type(X_new) is type(container(X))
    X_new = X_new.toarray() if issparse(X_new) else X_new
    assert_array_equal(X_new[:40], X)
    assert_allclose(X_new[40:], expected)
    assert_allclose(position, at)


def test_columns_of_a_frame_keep_their_types():
    frame = make_frame()
    features = as_mixed_features(frame, "auto")
    sources = np.array([[1, 2, 3], [9, 5, 9], [3, 3, 3], [2, 30, 2], [8, 7, 8]])
    X_new, position = between(features, sources=sources)
    assert_array_equal(X_new.dtypes, frame.dtypes)
    assert_array_equal(X_new.columns, frame.columns)
    pd.testing.assert_frame_equal(X_new[:40], frame.reset_index(drop=True))
    new = X_new[40:].reset_index(drop=True)
    for j, name in enumerate(["colour", "city", "member"]):
        assert_array_equal(new[name], frame[name].iloc[sources[:, j]])
    for name in ("age", "height", "visits"):
        ends = np.sort(frame[name].to_numpy(dtype=float)[PAIRS], axis=1)
        assert (new[name].astype(float) >= ends[:, 0]).all()
        assert (new[name].astype(float) <= ends[:, 1]).all()
    assert position[2] == 0.5
    other, _ = between(features, sources=sources)
    pd.testing.assert_frame_equal(other, X_new)


def test_position_counts_categories():
    X = np.array([[0.0, 0], [0, 1], [2, 0]])
    features = as_mixed_features(X, [1])
    pairs = np.array([[0, 1], [0, 1], [0, 0]])
    _, position = between(features, sources=np.array([[0], [1], [0]]), pairs=pairs)
    assert_array_equal(position, [0, 1, 0.5])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64, bool])
def test_integers_are_rounded_and_stay_in_their_range(dtype):
    info = None if dtype is bool else np.iinfo(dtype)
    low, high = (False, True) if info is None else (info.min, info.max)
    X = np.array([[low, high], [high, low], [low, low]] * 14, dtype=dtype)
    X_new, _ = between(as_mixed_features(X), pairs=np.array([[0, 1], [1, 0], [0, 0]] * 100))
    assert X_new.dtype == dtype
    same = X_new[42:][2::3].astype(float)
    assert_allclose(same, X[np.zeros(100, dtype=int)].astype(float), rtol=1e-15)
    values = X_new[42:].astype(float) / float(high)
    assert 0.3 < (values > np.mean([float(low) / float(high), 1])).mean() < 0.7
    assert_array_equal(round_to(np.array([-0.4, 0.4, 0.6]), np.dtype(np.int32)), [0, 0, 1])


def test_arrays_of_objects_hold_words_and_numbers():
    frame = make_frame()[["city", "height", "visits"]].astype({"visits": int})
    X = frame.to_numpy(dtype=object)
    X_new, _ = between(as_mixed_features(X, [0]))
    expected, _ = between(as_mixed_features(frame.astype({"height": float}), ["city"]))
    assert X_new.dtype == object
    assert isinstance(X_new[-1, 0], str)
    assert_array_equal(X_new[:, 0], expected["city"])
    assert_allclose(X_new[:, 1:].astype(float), expected[["height", "visits"]].astype(float))
    words = frame[["city"]].to_numpy(dtype=str)
    assert between(as_mixed_features(words, [0]))[0].dtype == words.dtype


def test_a_sparse_table_keeps_its_zeros_and_its_columns():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 4)) * (rng.uniform(size=(40, 4)) < 0.4)
    X[:, 1] = rng.randint(0, 3, size=40)
    dense, _ = between(as_mixed_features(X, [1]))
    sparse, _ = between(as_mixed_features(csr_array(X), [1]))
    assert_allclose(sparse.toarray(), dense)
    assert (sparse.data != 0).all()
    counts = csr_array((X > 0).astype(np.int32))
    assert between(as_mixed_features(counts))[0].dtype == np.int32


def test_most_frequent_category_of_the_neighbours():
    codes = np.random.RandomState(0).randint(0, 3, size=(50, 2))
    neighbors = np.random.RandomState(1).randint(0, 50, size=(30, 4))
    sources = most_frequent_neighbor(codes, neighbors)
    for i, near in enumerate(neighbors):
        for j in range(2):
            found = codes[near, j].tolist()
            votes = [found.count(value) for value in found]
            assert sources[i, j] == near[votes.index(max(votes))]


def test_take_keeps_the_container():
    X = np.arange(12.0).reshape(4, 3)
    rows = np.array([2, 0])
    for container in (np.asarray, csr_array, csc_array, coo_array, pd.DataFrame):
        taken = as_mixed_features(container(X)).take(rows)
        assert type(taken) is type(container(X))
        assert_array_equal(taken.toarray() if issparse(taken) else taken, X[rows])


def test_what_cannot_be_computed_with_is_named():
    frame = make_frame()
    with pytest.raises(
        ValueError, match=r"2 columns of X hold no numbers, \['colour', 'city'\] of"
    ):
        as_mixed_features(frame)
    with pytest.raises(ValueError, match=r"\['city'\] .*categorical_features, or set it to 'auto'"):
        as_mixed_features(frame, ["colour"])
    with pytest.raises(ValueError, match=r"1 column of X holds no numbers, \[3\]"):
        as_mixed_features(frame.to_numpy(dtype=object), [1])
    with pytest.raises(ValueError, match="reads the types of the columns of a DataFrame, and X is"):
        as_mixed_features(np.ones((3, 2)), "auto")
    with pytest.raises(ValueError, match=r"not (a column|columns) of the"):
        as_mixed_features(frame, ["weight"])
    for missing, found in [(np.nan, "NaN"), (np.inf, "infinity")]:
        broken = frame.astype({"height": float, "age": float})
        broken.iloc[3, 2] = broken.iloc[4, 2] = broken.iloc[5, 0] = missing
        with pytest.raises(
            ValueError, match=rf"contains {found}: 3 values in 2 columns, \['age', 'height'\]"
        ):
            as_mixed_features(broken, "auto")
    X = np.ones((4, 3))
    X[1, 2] = np.nan
    for container in (np.asarray, csr_array):
        with pytest.raises(ValueError, match=r"contains NaN: 1 values in 1 columns, \[2\]"):
            as_mixed_features(container(X))


def test_a_missing_category_is_one_of_its_own():
    frame = pd.DataFrame({"x": [0.0, 1, 2, 3], "c": ["a", None, None, "a"]})
    features = as_mixed_features(frame, ["c"])
    assert_array_equal(features.codes[:, 0], [0, 1, 1, 0])
    X_new, _ = between(features, sources=np.array([[1]]), pairs=np.array([[0, 1]]))
    assert pd.isna(X_new["c"].iloc[-1])
