"""Common tests of all tabular estimators: scikit-learn's, imbalanced-learn's and our own."""

import importlib
import inspect

import imblearn.utils.estimator_checks as imblearn_checks
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.checks import CLASSIFIER_CHECKS, MULTILABEL_CHECKS, SAMPLER_CHECKS, instance_id
from tests.instances import CLASSIFIERS, EXPECTED_FAILED_CHECKS, SAMPLERS
from tests.multilabel.instances import MULTILABEL
from tests.public import FOLDERS, TABULAR_FOLDERS, public_names
from tests.resampling.checks import MULTILABEL_SAMPLER_CHECKS
from tests.resampling.instances import MULTILABEL_SAMPLERS

MAX_EXPECTED_FAILURES = 5


def expected_failures(estimator):
    return EXPECTED_FAILED_CHECKS.get(type(estimator).__name__, {})


# Of random labels and constant features, a recall is kept, or an objective greatest, by flagging
# all or none, which is said aloud.
flags_all = pytest.mark.filterwarnings("ignore:The (best )?threshold .* flags:UserWarning")
# A multi-label classifier predicts the only value of a label, and names the label.
one_value = pytest.mark.filterwarnings("ignore:Labels .* have one value each:UserWarning")


# xfail_strict in pyproject.toml turns an expected failure that passes into a failure.
@flags_all
@one_value
@parametrize_with_checks(CLASSIFIERS + SAMPLERS, expected_failed_checks=expected_failures)
def test_scikit_learn(estimator, check):
    check(estimator)


_MARK = imblearn_checks.parametrize_with_checks(
    SAMPLERS, expected_failed_checks=expected_failures
).mark


# Some of its checks hand over balanced classes, which leave nothing to do: that is said aloud.
unchanged = pytest.mark.filterwarnings("ignore:.* (removed none of|added no row to):UserWarning")


# imbalanced-learn's own decorator holds a generator, which pytest 9 deprecates.
@unchanged
@pytest.mark.parametrize(_MARK.args[0], list(_MARK.args[1]), **_MARK.kwargs)
def test_imbalanced_learn(estimator, check):
    check(estimator)


@flags_all
@one_value
@pytest.mark.parametrize("check", CLASSIFIER_CHECKS, ids=instance_id)
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=instance_id)
def test_classifier(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", MULTILABEL_CHECKS, ids=instance_id)
@pytest.mark.parametrize("estimator", MULTILABEL, ids=instance_id)
def test_multilabel(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=instance_id)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=instance_id)
def test_sampler(sampler, check):
    check(sampler)


# Those of scikit-learn's checks that hand over no classes, which are no indicator.
WITHOUT_CLASSES = {
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_pickle",
    "check_estimators_unfitted",
    "check_fit1d",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_n_features_in",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
}
_MARK = parametrize_with_checks(MULTILABEL_SAMPLERS).mark


@pytest.mark.parametrize(
    _MARK.args[0],
    [pair for pair in _MARK.args[1] if pair[1].func.__name__ in WITHOUT_CLASSES],
    **_MARK.kwargs,
)
def test_scikit_learn_on_multilabel_samplers(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", MULTILABEL_SAMPLER_CHECKS, ids=instance_id)
@pytest.mark.parametrize("sampler", MULTILABEL_SAMPLERS, ids=instance_id)
def test_multilabel_sampler(sampler, check):
    check(sampler)


@pytest.mark.parametrize("folder", TABULAR_FOLDERS)
def test_every_public_estimator_has_an_instance(folder):
    listed = {type(estimator) for estimator in CLASSIFIERS + SAMPLERS + MULTILABEL_SAMPLERS}
    module = importlib.import_module(f"skrecall.{folder}")
    for name in public_names(folder):
        public = getattr(module, name)
        if inspect.isclass(public) and (hasattr(public, "fit") or hasattr(public, "fit_resample")):
            assert public in listed, f"add an instance of {name} to tests/instances.py"


def test_expected_failures_are_few_and_reasoned():
    public = {name for folder in FOLDERS for name in public_names(folder)}
    for name, checks in EXPECTED_FAILED_CHECKS.items():
        assert name in public, f"{name} is no public class"
        assert len(checks) <= MAX_EXPECTED_FAILURES, name
        assert all(len(reason) > 20 for reason in checks.values()), name
