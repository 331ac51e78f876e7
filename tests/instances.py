"""The one list of instances that the common tests run over, and of the checks they may fail.

Promise classes run at target .5 and confidence .5: a strict promise needs more positives than
scikit-learn's checks hold. Torch instances are in `tests/neural_network/instances.py`.
"""

from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler

from skrecall.resampling import ArraySampler

CLASSIFIERS: list = []

SAMPLERS: list = [
    ArraySampler(SMOTE(random_state=0)),
    ArraySampler(RandomUnderSampler(random_state=0)),
]

# {class name: {scikit-learn's check: reason}}; more than five for one class is a defect.
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {}
