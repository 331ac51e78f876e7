"""One instance of every sampler of several labels, for the common tests."""

from skrecall.resampling import (
    LPROS,
    LPRUS,
    MLROS,
    MLRUS,
    MLSMOTE,
    MLSOL,
    MLTL,
    MLUL,
    REMEDIAL,
    MLeNN,
    REMEDIALHwR,
)

MULTILABEL_SAMPLERS: list = [
    LPROS(random_state=0),
    LPRUS(random_state=0),
    MLROS(random_state=0),
    MLRUS(random_state=0),
    MLSMOTE(random_state=0),
    MLSOL(random_state=0),
    MLUL(random_state=0),
    MLeNN(threshold=0.5),
    MLTL(),
    REMEDIAL(),
    REMEDIALHwR(MLROS(), random_state=0),
    REMEDIALHwR(MLRUS(), random_state=0),
    REMEDIALHwR(MLSMOTE(), random_state=0),
]
