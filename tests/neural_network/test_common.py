"""Common tests of all torch estimators: scikit-learn's and our own."""

import inspect

import imblearn.utils.estimator_checks as imblearn_checks
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrecall.neural_network
from tests.checks import CLASSIFIER_CHECKS, MULTILABEL_CHECKS, SAMPLER_CHECKS, instance_id
from tests.neural_network.instances import (
    CLASSIFIERS,
    EXPECTED_FAILED_CHECKS,
    MULTILABEL,
    NEIGHBORS,
    SAMPLERS,
)


def expected_failures(estimator):
    return EXPECTED_FAILED_CHECKS.get(type(estimator).__name__, {})


# A multi-label classifier predicts the only value of a label, and names the label.
one_value = pytest.mark.filterwarnings("ignore:Labels .* have one value each:UserWarning")


# Not strict: float32 rounding, the reason of the expected failures, may agree on some machine.
@one_value
@parametrize_with_checks(
    CLASSIFIERS + NEIGHBORS + SAMPLERS, expected_failed_checks=expected_failures, xfail_strict=False
)
def test_scikit_learn(estimator, check):
    check(estimator)


@one_value
@pytest.mark.parametrize("check", CLASSIFIER_CHECKS, ids=instance_id)
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=instance_id)
def test_classifier(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", MULTILABEL_CHECKS, ids=instance_id)
@pytest.mark.parametrize("estimator", MULTILABEL, ids=instance_id)
def test_multilabel(estimator, check):
    check(estimator)


_MARK = imblearn_checks.parametrize_with_checks(
    SAMPLERS, expected_failed_checks=expected_failures
).mark


# Some of its checks hand over balanced classes, which leave nothing to do: that is said aloud.
# Its own decorator holds a generator, which pytest 9 deprecates.
@pytest.mark.filterwarnings("ignore:.* added no row to:UserWarning")
@pytest.mark.parametrize(_MARK.args[0], list(_MARK.args[1]), **_MARK.kwargs)
def test_imbalanced_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=instance_id)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=instance_id)
def test_sampler(sampler, check):
    check(sampler)


def test_every_public_estimator_has_an_instance():
    listed = {type(estimator) for estimator in CLASSIFIERS + NEIGHBORS + SAMPLERS}
    for name in skrecall.neural_network.__all__:
        public = getattr(skrecall.neural_network, name)
        if inspect.isclass(public) and hasattr(public, "fit"):
            assert public in listed, f"add an instance of {name} to instances.py"


def test_expected_failures_are_few_and_reasoned():
    for name, checks in EXPECTED_FAILED_CHECKS.items():
        assert hasattr(skrecall.neural_network, name), f"{name} is no public class"
        assert len(checks) <= 5, name
        assert all(len(reason) > 20 for reason in checks.values()), name
