"""The one list of instances that the common tests run over, and of the checks they may fail.

Promise classes run at target .5 and confidence .5: a strict promise needs more positives than
scikit-learn's checks hold. Torch instances are in `tests/neural_network/instances.py`.
"""

from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler, TomekLinks
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from skrecall.ensemble import (
    BalanceCascadeClassifier,
    EnsembleSelectionClassifier,
    HardNegativeMiningClassifier,
    RecallCascadeClassifier,
    ResampledBaggingClassifier,
    SelfPacedEnsembleClassifier,
    SMOTEBoostClassifier,
    SoftVotingClassifier,
)
from skrecall.model_selection import DecisionGridSearchCV
from skrecall.resampling import (
    ArraySampler,
    ClusterUnderSampler,
    DensityUnderSampler,
    FastEditedNearestNeighbours,
    FastTomekLinks,
    HardNegativeUnderSampler,
    MetadataPipeline,
    MixupOverSampler,
    NoisySampleFilter,
)
from skrecall.threshold import (
    OptimalThresholdClassifier,
    PriorCorrectedClassifier,
    RecallThresholdClassifier,
    RejectOptionClassifier,
)
from tests.multilabel.instances import LISTED_CLASSES, MULTILABEL, WEIGHTS_INSIDE_BAGS

CLASSIFIERS: list = [
    MetadataPipeline(
        [("scale", StandardScaler()), ("sampler", TomekLinks()), ("clf", LogisticRegression())]
    ),
    SoftVotingClassifier(
        [("logistic", LogisticRegression()), ("knn", KNeighborsClassifier())],
        weights="optimize",
        cv=3,
    ),
    SoftVotingClassifier(
        [
            ("knn", KNeighborsClassifier()),
            ("linear", MLPClassifier((), solver="lbfgs", alpha=10.0, max_iter=2000)),
        ],
        weights=[2, 1],
        random_state=0,
    ),
    EnsembleSelectionClassifier(
        [("logistic", LogisticRegression()), ("knn", KNeighborsClassifier())],
        n_rounds=5,
        n_bags=2,
        max_members=1.0,
        cv=3,
        random_state=0,
    ),
    ResampledBaggingClassifier(LogisticRegression(), n_estimators=6, random_state=0),
    SelfPacedEnsembleClassifier(LogisticRegression(), n_estimators=3, random_state=0),
    BalanceCascadeClassifier(LogisticRegression(), n_estimators=3, random_state=0),
    SMOTEBoostClassifier(LogisticRegression(), n_estimators=3, random_state=0),
    HardNegativeMiningClassifier(LogisticRegression(), max_negatives=20, random_state=0),
    DecisionGridSearchCV(
        FixedThresholdClassifier(LogisticRegression()),
        {"threshold": [0.3, 0.5]},
        cv=2,
        error_score="raise",
    ),
    OptimalThresholdClassifier(LogisticRegression(), cv=3),
    PriorCorrectedClassifier(LogisticRegression()),
    RecallThresholdClassifier(
        LogisticRegression(),
        target_recall=0.5,
        confidence=0.5,
        on_duplicates="ignore",
        random_state=0,
    ),
    RecallCascadeClassifier(
        [("strict", LogisticRegression(C=0.01)), ("logistic", LogisticRegression())],
        target_recall=0.5,
        confidence=0.5,
        on_duplicates="ignore",
        random_state=2,
    ),
    RejectOptionClassifier(
        LogisticRegression(),
        target_recall=0.5,
        confidence=0.5,
        target_precision=0.3,
        on_duplicates="ignore",
        random_state=0,
    ),
    *MULTILABEL,
]

SAMPLERS: list = [
    ArraySampler(SMOTE(random_state=0)),
    ArraySampler(RandomUnderSampler(random_state=0)),
    ClusterUnderSampler(random_state=0),
    DensityUnderSampler(random_state=0),
    FastEditedNearestNeighbours(),
    FastTomekLinks(),
    HardNegativeUnderSampler(LogisticRegression(), cv=3, random_state=0),
    MixupOverSampler(random_state=0),
    NoisySampleFilter(
        [("logistic", LogisticRegression()), ("knn", KNeighborsClassifier())], cv=3, random_state=0
    ),
]

# Samples go to the estimator inside as they came: a Pipeline may impute and encode them.
SAMPLES_UNSEEN_BY_FIT = {
    "check_estimators_nan_inf": "fit counts classes; the estimator inside judges NaN afterwards",
    "check_dtype_object": "fit counts classes; the estimator inside judges objects afterwards",
}

# {class name: {scikit-learn's check: reason}}; more than five for one class is a defect.
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {
    "MetadataPipeline": {
        "check_estimators_overwrite_params": "fitted steps are kept in steps, as in its parents",
        "check_dont_overwrite_parameters": "fitted steps are kept in steps, as in its parents",
        "check_supervised_y_no_nan": "the sampler of imbalanced-learn reads y, and casts infinity",
        "check_supervised_y_2d": "the sampler of imbalanced-learn reads y, and does not warn",
    },
    "BinaryRelevance": LISTED_CLASSES,
    "InstanceBasedLogisticRegression": LISTED_CLASSES,
    "MLARAM": {
        "check_classifier_multioutput": (
            "labels before the greatest gap are predicted, not those of probability one half"
        ),
    },
    "MLTSVM": LISTED_CLASSES,
    "ClassifierChain": LISTED_CLASSES,
    "StackedBinaryRelevance": LISTED_CLASSES,
    "MultilabelLogisticRegression": LISTED_CLASSES,
    "CalibratedLabelRanking": LISTED_CLASSES,
    "DecisionGridSearchCV": {
        "check_supervised_y_no_nan": (
            "scikit-learn's check_cv warns of a cast before it raises, and warnings are errors here"
        ),
    },
    "HardNegativeUnderSampler": SAMPLES_UNSEEN_BY_FIT,
    "NoisySampleFilter": SAMPLES_UNSEEN_BY_FIT,
    "EnsembleOfClassifierChains": WEIGHTS_INSIDE_BAGS,
    "EnsembleOfPrunedSets": WEIGHTS_INSIDE_BAGS,
    "MultilabelBaggingClassifier": WEIGHTS_INSIDE_BAGS,
    "ResampledBaggingClassifier": WEIGHTS_INSIDE_BAGS,
    "SelfPacedEnsembleClassifier": WEIGHTS_INSIDE_BAGS,
    "BalanceCascadeClassifier": WEIGHTS_INSIDE_BAGS,
    "SMOTEBoostClassifier": WEIGHTS_INSIDE_BAGS,
    "LabelEmbeddingClassifier": LISTED_CLASSES,
    "MultilabelForestClassifier": {
        f"check_sample_weight_equivalence_on_{kind}_data": (
            "a row of weight 2 and two rows are different bootstrap samples, as in scikit-learn's"
        )
        for kind in ("dense", "sparse")
    },
    "MultilabelThresholdClassifier": LISTED_CLASSES,
    "OptimalThresholdClassifier": {
        "check_classifiers_train": "decisions change at threshold_, not at decision function 0",
    },
    "RecallCascadeClassifier": {
        "check_classifiers_one_label_sample_weights": (
            "sample_weight goes to the stages only; rows of weight 0 are held out as well"
        ),
        "check_classifiers_train": "at a promised recall of one half, accuracy stays below .83",
        "check_fit2d_1feature": "its 10 rows hold too few positives to be dealt out to three parts",
    },
    "RecallThresholdClassifier": {
        "check_classifiers_train": "decisions change at threshold_, not at probability one half",
        "check_classifiers_classes": "decisions change at threshold_, not at decision function 0",
        "check_classifiers_one_label_sample_weights": (
            "sample_weight goes to the inner fit only; the promise counts rows of weight 0 too"
        ),
    },
    "RejectOptionClassifier": {
        "check_classifiers_train": "decisions change at two thresholds, not at probability .5",
        "check_classifiers_one_label_sample_weights": (
            "sample_weight goes to the inner fit only; both aims count rows of weight 0 too"
        ),
    },
}
