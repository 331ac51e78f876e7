"""The tabular ensembles over a torch classifier, on images."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import average_precision_score

from skrecall.ensemble import (
    BalanceCascadeClassifier,
    ResampledBaggingClassifier,
    SelfPacedEnsembleClassifier,
    SMOTEBoostClassifier,
)
from skrecall.neural_network import CNNClassifier

CNN = CNNClassifier(max_epochs=6, lr=0.02, batch_size=16, device="cpu", n_threads=1)


@pytest.fixture(scope="module")
def images():
    """Noise in bytes; one image in six has a bright spot."""
    rng = np.random.default_rng(0)
    y = (np.arange(240) % 6 == 0).astype(int)
    images = rng.integers(0, 120, (240, 1, 8, 8)).astype(np.uint8)
    images[y == 1, :, 2:5, 3:6] += 110
    return images, y


@pytest.mark.parametrize(
    "model",
    [
        ResampledBaggingClassifier(CNN, n_estimators=3, oob_proba=True, random_state=0),
        ResampledBaggingClassifier(CNN, sampler=SMOTE(), n_estimators=1, random_state=0),
        SelfPacedEnsembleClassifier(CNN, n_estimators=2, random_state=0),
        BalanceCascadeClassifier(CNN, n_estimators=2, random_state=0),
        SMOTEBoostClassifier(CNN, n_estimators=2, random_state=0),
    ],
    ids=["balanced bags", "SMOTE bags", "self-paced", "cascade", "boosting"],
)
def test_images_of_bytes_are_ranked(images, model):
    images, y = images
    fit, new = slice(0, 160), slice(160, None)
    fitted = clone(model).fit(images[fit], y[fit])
    y_score = fitted.predict_proba(images[new])[:, 1]
    assert average_precision_score(y[new], y_score) > 0.6
    assert fitted.n_features_in_ == 64
    members = getattr(fitted, "estimators_", None) or [bag.member for bag in fitted.bags_]
    assert all(member.input_dtype_ == np.uint8 for member in members)
    if hasattr(fitted, "oob_proba_"):
        assert np.isnan(fitted.oob_proba_[y[fit] == 0]).mean() < 0.1
        again = clone(model).fit(images[fit], y[fit]).predict_proba(images[new])[:, 1]
        assert_array_equal(again, y_score)
