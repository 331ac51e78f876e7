"""One instance of every sampler of several labels, for the common tests."""

from skrecall.resampling import MLROS

MULTILABEL_SAMPLERS: list = [
    MLROS(random_state=0),
]
