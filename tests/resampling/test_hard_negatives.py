import numpy as np
import pandas as pd
import pytest
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import LinearSVC

from skrecall.resampling import HardNegativeUnderSampler
from skrecall.resampling._hard_negatives import hardest_rows, rival_scores

CV = StratifiedKFold(3, shuffle=True, random_state=1)


def make_table(weights=(0.8, 0.2), **params):
    return make_classification(
        200,
        6,
        n_informative=4,
        n_classes=len(weights),
        weights=list(weights),
        random_state=0,
        **params,
    )


def plain_scores(X, y):
    """Out-of-fold probabilities, one class per column."""
    scores = np.empty((len(y), len(np.unique(y))))
    for fit, held_out in CV.split(X, y):
        scores[held_out] = LogisticRegression().fit(X[fit], y[fit]).predict_proba(X[held_out])
    return scores


def plain_selection(X, y, reduced, n_skipped=0):
    """Indices kept, from the definition, and how hard each row is."""
    scores = plain_scores(X, y)
    classes = sorted(set(y.tolist()))
    kept = [i for i in range(len(y)) if y[i] not in reduced]
    hardness = {}
    for label, n in reduced.items():
        rivals = [k for k, c in enumerate(classes) if c not in reduced] or [
            k for k, c in enumerate(classes) if c != label
        ]
        rows = [i for i in range(len(y)) if y[i] == label]
        for i in rows:
            hardness[i] = max(scores[i, k] for k in rivals)
        rows.sort(key=lambda i: -hardness[i])
        kept += rows[n_skipped : n_skipped + n]
    return sorted(kept), hardness


@pytest.mark.parametrize(
    ("weights", "strategy", "reduced"),
    [
        ((0.8, 0.2), "auto", [0]),
        ((0.8, 0.2), {0: 70, 1: 10}, [0, 1]),
        ((0.8, 0.2), 0.5, [0]),
        ((0.6, 0.25, 0.15), "auto", [0, 1]),
        ((0.6, 0.25, 0.15), "majority", [0]),
        ((0.6, 0.25, 0.15), {0: 40, 1: 30, 2: 20}, [0, 1, 2]),
    ],
)
def test_as_the_definition_says(weights, strategy, reduced):
    X, y = make_table(weights)
    sampler = HardNegativeUnderSampler(
        LogisticRegression(), sampling_strategy=strategy, random_share=0.0, cv=CV
    )
    X_new, y_new = sampler.fit_resample(X, y)
    assert sorted(sampler.sampling_strategy_) == reduced
    expected, hardness = plain_selection(X, y, sampler.sampling_strategy_)
    assert_array_equal(sampler.sample_indices_, expected)
    assert_array_equal(X_new, X[expected])
    assert_array_equal(y_new, y[expected])
    assert_allclose(sampler.hardness_, [hardness.get(i, np.nan) for i in range(len(y))], rtol=1e-12)


def test_ratio_counts_rows_per_row_of_the_smallest_class():
    X, y = make_table((0.6, 0.3, 0.1))
    counts = np.bincount(y)
    sampler = HardNegativeUnderSampler(LogisticRegression(), ratio=3.5, cv=CV).fit(X, y)
    wanted = round(3.5 * counts[2])
    assert sampler.sampling_strategy_ == {0: wanted, 1: min(wanted, counts[1])}
    _, y_new = sampler.fit_resample(X, y)
    assert_array_equal(np.bincount(y_new), [wanted, min(wanted, counts[1]), counts[2]])
    with pytest.raises(ValueError, match=r"ratio=2 and sampling_strategy=0.5 both say"):
        sampler.set_params(ratio=2, sampling_strategy=0.5).fit(X, y == 2)


def test_the_hardest_are_skipped_and_random_ones_are_added():
    X, y = make_table()
    n_kept, n_rows = int(np.sum(y == 1)), int(np.sum(y == 0))
    n_skipped = round(0.1 * n_rows)
    sampler = HardNegativeUnderSampler(
        LogisticRegression(), skip_hardest=0.1, random_share=0.0, cv=CV
    )
    sampler.fit_resample(X, y)
    expected, _ = plain_selection(X, y, {0: n_kept}, n_skipped)
    assert_array_equal(sampler.sample_indices_, expected)

    drawn = []
    for seed in range(2):
        sampler.set_params(random_share=0.25, random_state=seed).fit_resample(X, y)
        kept = sampler.sample_indices_
        hard, _ = plain_selection(X, y, {0: n_kept - round(0.25 * n_kept)}, n_skipped)
        easier, _ = plain_selection(X, y, {0: n_rows}, n_skipped)
        assert len(kept) == 2 * n_kept
        assert set(hard) < set(kept) <= set(easier)
        drawn.append(sorted(set(kept) - set(hard)))
    assert drawn[0] != drawn[1]


def test_mislabelled_positives_are_skipped():
    """1 % of the negatives are positives: they are the hardest, and skipping 2 % loses them."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [1000, 50])
    X = rng.normal(size=(1050, 2))
    X[y == 1] += 5
    X[:10] += 5
    for skip_hardest, n_wrong in [(0.0, 10), (0.02, 0)]:
        sampler = HardNegativeUnderSampler(
            LogisticRegression(), skip_hardest=skip_hardest, random_state=0
        )
        sampler.fit_resample(X, y)
        assert np.sum(sampler.sample_indices_ < 10) == n_wrong


def make_gaussians(n_negatives, n_positives, seed):
    rng = np.random.RandomState(seed)
    y = np.repeat([0, 1], [n_negatives, n_positives])
    X = rng.normal(size=(len(y), 3))
    X[y == 1, 0] += 2
    return X, y


def test_what_becomes_of_the_ranking_and_of_probabilities():
    """Of two Gaussian classes, as the notes of the class say."""
    X, y = make_gaussians(10_000, 100, seed=0)
    X_test, y_test = make_gaussians(20_000, 5000, seed=100)
    area, recall = {}, {}
    hard = HardNegativeUnderSampler(LogisticRegression(), random_state=0)
    for name, sampler in {
        "random": RandomUnderSampler(random_state=0),
        "half": hard,
        "hardest": clone(hard).set_params(random_share=0.0),
    }.items():
        model = LogisticRegression().fit(*sampler.fit_resample(X, y))
        area[name] = roc_auc_score(y_test, model.decision_function(X_test))
        recall[name] = recall_score(y_test, model.predict(X_test))
    best = norm.cdf(2 / np.sqrt(2))
    assert abs(area["random"] - best) < 0.01
    assert abs(area["half"] - best) < 0.02
    assert abs(area["hardest"] - (1 - best)) < 0.02
    assert recall["half"] < recall["random"] - 0.1


def test_ties_are_broken_at_random():
    hardness = np.array([1.0, 0.5, 0.5, 0.5, 0.5, 0.0])
    counts = np.zeros(6)
    for seed in range(400):
        rng = np.random.RandomState(seed)
        counts[hardest_rows(hardness, 3, n_skipped=0, n_random=0, rng=rng)] += 1
    assert counts[0] == 400
    assert counts[5] == 0
    assert_allclose(counts[1:5], 200, atol=4 * np.sqrt(400 / 4))


def test_scores_may_be_decisions():
    X, y = make_table()
    expected, _ = plain_selection(X, y, {0: int(np.sum(y == 1))})
    for method in ("decision_function", "predict_proba", "auto"):
        sampler = HardNegativeUnderSampler(
            LogisticRegression(), random_share=0.0, cv=CV, response_method=method
        )
        sampler.fit_resample(X, y)
        assert_array_equal(sampler.sample_indices_, expected)
    sampler = HardNegativeUnderSampler(Perceptron(), cv=CV, random_state=0)
    assert len(sampler.fit_resample(X, y)[1]) == 2 * np.sum(y == 1)
    with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
        HardNegativeUnderSampler(LinearSVC(), response_method="predict_proba").fit_resample(X, y)


def test_rivals_are_the_classes_that_lose_no_rows():
    y_score = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4], [0.2, 0.1, 0.7]])
    y = np.array(["a", "b", "c"])
    assert_array_equal(rival_scores(y_score, y, ["a", "b"]), [0.2, 0.4, np.nan])
    assert_array_equal(rival_scores(y_score, y, ["a"]), [0.7, np.nan, np.nan])
    assert_array_equal(rival_scores(y_score, y, ["a", "b", "c"]), [0.7, 0.4, 0.2])


def test_whatever_the_estimator_takes_as_samples():
    X, y = make_table()
    frame = pd.DataFrame(X.copy(), columns=list("abcdef"), index=np.arange(200) + 7)
    frame["colour"] = np.where(X[:, 0] > 0, "red", "blue")
    frame.loc[8, "a"] = np.nan
    encode = make_column_transformer(
        (OneHotEncoder(), ["colour"]), remainder="passthrough", sparse_threshold=0
    )
    model = make_pipeline(encode, HistGradientBoostingClassifier(max_iter=5))
    sampler = HardNegativeUnderSampler(model, cv=2, random_state=0)
    X_new, y_new = sampler.fit_resample(frame, pd.Series(y, index=frame.index))
    assert_array_equal(sampler.feature_names_in_, frame.columns)
    pd.testing.assert_frame_equal(X_new, frame.iloc[sampler.sample_indices_].reset_index(drop=True))
    assert_array_equal(y_new, y[sampler.sample_indices_])
    assert_array_equal(X_new.index, y_new.index)

    images = (X.reshape(-1, 1, 2, 3) * 20 + 128).clip(0, 255).astype(np.uint8)
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1) / 255)
    sampler = HardNegativeUnderSampler(make_pipeline(flat, LogisticRegression()), random_state=0)
    new, _ = sampler.fit_resample(images, y)
    assert_array_equal(new, images[sampler.sample_indices_])
    assert new.dtype == np.uint8
    assert sampler.n_features_in_ == 6


def test_bad_input_is_refused_by_name():
    X, y = make_table()
    sampler = HardNegativeUnderSampler(LogisticRegression())
    with pytest.raises(ValueError, match="class True has 1: a class of one row"):
        sampler.fit_resample(X, np.arange(200) == 3)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        sampler.fit_resample(np.where(X > 2, np.nan, X), y)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        sampler.fit_resample(X, X[:, 0])
    with pytest.raises(ValueError, match="y contains NaN"):
        sampler.fit_resample(X, np.where(np.arange(200) == 3, np.nan, y))
    with pytest.raises(ValueError, match=r"skip_hardest=0.9 leaves 16 of the 159 rows of class 0"):
        sampler.set_params(skip_hardest=0.9).fit_resample(X, y)
    with pytest.raises(ValueError, match=r"'C' parameter of .* must be"):
        HardNegativeUnderSampler(LogisticRegression(C=-1)).fit_resample(X, y)
    with pytest.raises(ValueError, match=r"could not convert string to float: '(red|blue)'"):
        HardNegativeUnderSampler(LogisticRegression()).fit_resample(
            pd.DataFrame({"colour": ["red", "blue"] * 100}), y
        )
    with pytest.warns(UserWarning, match=r"removed none of the 200 rows: .* \{0: 100, 1: 100\}"):
        HardNegativeUnderSampler(LogisticRegression()).fit_resample(X, np.arange(200) % 2)
    with pytest.warns(UserWarning, match=r"rows: ratio=99 with sampling_strategy='auto' asks to"):
        HardNegativeUnderSampler(LogisticRegression(), ratio=99).fit_resample(X, y)
