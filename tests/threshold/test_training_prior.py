import numpy as np
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline as SamplerPipeline
from imblearn.under_sampling import NearMiss, RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import (
    BalanceCascadeClassifier,
    ResampledBaggingClassifier,
    SelfPacedEnsembleClassifier,
    SMOTEBoostClassifier,
)
from skrecall.resampling import ArraySampler
from skrecall.threshold._training_prior import (
    chain,
    check_densities_kept,
    check_prior_seen,
    classifier_of,
    insert_recorders,
    remove_recorders,
    samplers_of,
    weight_of_classifier,
    weighted_prior,
)


def nested():
    inner = SamplerPipeline(
        [
            ("over", RandomOverSampler(sampling_strategy=0.5, random_state=0)),
            ("clf", LogisticRegression()),
        ]
    )
    search = GridSearchCV(inner, {"clf__C": [1.0]}, cv=2)
    under = RandomUnderSampler(sampling_strategy=0.25, random_state=0)
    return SamplerPipeline([("under", under), ("search", search)])


def test_chain_leads_through_pipelines_and_searches_to_the_classifier():
    model = nested()
    kinds = [type(part) for part in chain(model)]
    assert kinds == [SamplerPipeline, GridSearchCV, SamplerPipeline, LogisticRegression]
    assert classifier_of(Pipeline([("clf", GaussianNB())])).__class__ is GaussianNB
    search = RandomizedSearchCV(GaussianNB(), {"var_smoothing": [1e-9]})
    assert isinstance(classifier_of(search), GaussianNB)


def test_recorder_next_to_the_classifier_counts_and_leaves_no_trace():
    X, y = make_classification(600, weights=[0.9], random_state=0)
    model, plain = nested(), nested().fit(X, y)
    insert_recorders(model)
    model.fit(X, y)
    n_positives = np.sum(y)
    counts = remove_recorders(model, np.bincount(y))
    assert_array_equal(counts, [4 * n_positives, 2 * n_positives])
    assert str(model) == str(nested())
    assert [name for name, _ in model[-1].best_estimator_.steps] == ["over", "clf"]
    assert_array_equal(model.predict_proba(X), plain.predict_proba(X))


def test_no_pipeline_no_recorder():
    model = Pipeline([("clf", LogisticRegression())])
    insert_recorders(model)
    assert len(model) == 1
    assert_array_equal(remove_recorders(model.fit([[0], [1]], [0, 1]), np.array([1, 1])), [1, 1])


def test_weights_are_those_that_reach_the_classifier():
    model = nested()
    assert weight_of_classifier(model, {"search__clf__sample_weight": [1], "other": 2}) == [1]
    assert weight_of_classifier(model, {"under__sample_weight": [1]}) is None
    assert weight_of_classifier(model, {"sample_weight": [3]}) == [3]
    assert weight_of_classifier(GaussianNB(), {"sample_weight": [3]}) == [3]


def test_samplers_are_found_wherever_they_are():
    found = {type(sampler) for sampler in samplers_of(nested())}
    assert found == {RandomOverSampler, RandomUnderSampler}
    wrapped = SamplerPipeline([("s", ArraySampler(SMOTE())), ("clf", GaussianNB())])
    assert [type(s) for s in samplers_of(wrapped)] == [SMOTE]
    check_densities_kept(wrapped)
    assert [type(s) for s in samplers_of(FrozenEstimator(wrapped))] == [SMOTE]


@pytest.mark.parametrize("sampler", [NearMiss(), SMOTEENN(smote=SMOTE())])
def test_samplers_that_change_the_classes_are_named(sampler):
    model = SamplerPipeline([("s", sampler), ("clf", GaussianNB())])
    with pytest.raises(ValueError, match=f"{type(sampler).__name__} chooses or makes"):
        check_densities_kept(model)


class Boosted(LogisticRegression):
    """A classifier with the weights that gradient boosting libraries have."""

    def __init__(self, scale_pos_weight=None, is_unbalance=False):
        super().__init__()
        self.scale_pos_weight = scale_pos_weight
        self.is_unbalance = is_unbalance


@pytest.mark.parametrize(
    "classifier",
    [
        Boosted(scale_pos_weight=9),
        Boosted(is_unbalance=True),
        GaussianNB(priors=[0.5, 0.5]),
        BernoulliNB(fit_prior=False),
        BernoulliNB(class_prior=[0.5, 0.5]),
    ],
)
def test_priors_that_cannot_be_counted_must_be_stated(classifier):
    with pytest.raises(ValueError, match="sets its own prior by"):
        check_prior_seen(SamplerPipeline([("clf", classifier)]))


@pytest.mark.parametrize(
    "ensemble",
    [
        ResampledBaggingClassifier(GaussianNB()),
        SelfPacedEnsembleClassifier(),
        BalanceCascadeClassifier(),
        SMOTEBoostClassifier(),
        ResampledBaggingClassifier(BalanceCascadeClassifier(), sampler=None),
    ],
)
def test_ensembles_that_resample_for_their_members_ask_for_the_prior(ensemble):
    with pytest.raises(ValueError, match=r"for each of its members.*State it with training_prior"):
        check_prior_seen(SamplerPipeline([("clf", ensemble)]))


def test_bags_that_are_not_resampled_have_the_prior_of_the_labels():
    check_prior_seen(ResampledBaggingClassifier(GaussianNB(), sampler=None))


@pytest.mark.parametrize(
    "classifier",
    [Boosted(scale_pos_weight=1), BernoulliNB(), DecisionTreeClassifier(class_weight="balanced")],
)
def test_priors_that_can_be_counted_are_let_through(classifier):
    check_prior_seen(classifier)


def test_class_weights_multiply_the_counts():
    classes, counts = np.array(["a", "b"]), np.array([30, 10])
    tree = DecisionTreeClassifier()
    assert_allclose(weighted_prior(tree, classes, counts, weighted=False), [0.75, 0.25])
    tree.set_params(class_weight={"b": 3})
    assert_allclose(weighted_prior(tree, classes, counts, weighted=True), [0.5, 0.5])
    tree.set_params(class_weight="balanced")
    assert_allclose(weighted_prior(tree, classes, counts, weighted=False), [0.5, 0.5])
    with pytest.raises(ValueError, match="depends on the estimator"):
        weighted_prior(tree, classes, counts, weighted=True)


def test_a_classifier_may_know_how_its_prior_was_shifted():
    classes, counts = np.array(["a", "b"]), np.array([30, 10])
    net = GaussianNB()
    net.prior_factor_ = np.array([1.0, 3.0])
    assert_allclose(weighted_prior(net, classes, counts, weighted=True), [0.5, 0.5])
    net.prior_factor_ = None
    with pytest.raises(ValueError, match=r"GaussianNB was trained with .* leave no prior to undo"):
        weighted_prior(net, classes, counts, weighted=False)
