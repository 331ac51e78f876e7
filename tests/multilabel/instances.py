"""One instance of every multi-label classifier, for the common tests; cheap ones, as each is fitted
some two hundred times."""

from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import MultilabelStackingClassifier
from skrecall.multilabel import (
    HOMER,
    MLARAM,
    MLTSVM,
    BinaryRelevance,
    BRkNN,
    CalibratedLabelRanking,
    ClassifierChain,
    EnsembleOfClassifierChains,
    EnsembleOfPrunedSets,
    InstanceBasedLogisticRegression,
    LabelEmbeddingClassifier,
    LabelPowerset,
    LabelSpacePartitionClassifier,
    MLkNN,
    MultilabelBaggingClassifier,
    MultilabelForestClassifier,
    MultilabelLogisticRegression,
    ProbabilisticClassifierChain,
    RAkELDisjoint,
    RAkELOverlapping,
    StackedBinaryRelevance,
)
from skrecall.threshold import MultilabelThresholdClassifier

MULTILABEL: list = [
    BinaryRelevance(LogisticRegression()),
    BinaryRelevance(RidgeClassifier(), random_state=0),
    BRkNN(21, extension="a"),
    MLkNN(3),
    MLTSVM(threshold="own"),
    MLARAM(threshold=0.4),
    InstanceBasedLogisticRegression(LogisticRegression(), n_neighbors=5, add_features=True),
    ClassifierChain(LogisticRegression(), order="random", random_state=0),
    ClassifierChain(RidgeClassifier(), cv=3, chain_method="decision_function"),
    ProbabilisticClassifierChain(
        LogisticRegression(), inference="beam", beam_width=16, optimal_for="hamming"
    ),
    ProbabilisticClassifierChain(
        LogisticRegression(),
        inference="monte_carlo",
        n_samples=20,
        optimal_for="hamming",
        random_state=0,
    ),
    CalibratedLabelRanking(LogisticRegression()),
    CalibratedLabelRanking(LogisticRegression(), voting="proba", random_state=0),
    EnsembleOfClassifierChains(LogisticRegression(), n_estimators=3, random_state=0),
    StackedBinaryRelevance(LogisticRegression(solver="newton-cholesky"), cv=3),
    StackedBinaryRelevance(RidgeClassifier(), method="br+", min_phi=0.05),
    EnsembleOfPrunedSets(
        LogisticRegression(solver="newton-cholesky"), n_estimators=4, random_state=0
    ),
    HOMER(LogisticRegression(), n_parts=2, random_state=0),
    LabelPowerset(LogisticRegression(solver="newton-cholesky")),
    LabelPowerset(RidgeClassifier(), min_count=2, n_subsets=1),
    LabelSpacePartitionClassifier(LogisticRegression(), partition="hierarchical", random_state=0),
    LabelSpacePartitionClassifier(RidgeClassifier(), partition="random_subsets", random_state=0),
    MultilabelBaggingClassifier(LogisticRegression(), n_estimators=3, random_state=0),
    MultilabelBaggingClassifier(
        BinaryRelevance(LogisticRegression()), n_estimators=3, sampler="balanced", random_state=0
    ),
    MultilabelLogisticRegression(tol=1e-10),
    MultilabelStackingClassifier(
        [
            ("logistic", LogisticRegression(solver="newton-cholesky")),
            ("knn", KNeighborsClassifier()),
        ],
        cv=2,
    ),
    MultilabelStackingClassifier(
        [
            ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
            ("linear", BinaryRelevance(LogisticRegression(solver="newton-cholesky"))),
        ],
        BinaryRelevance(LogisticRegression(solver="newton-cholesky")),
        meta_features="all",
        passthrough=True,
        cv=2,
        random_state=0,
    ),
    RAkELDisjoint(LogisticRegression(solver="newton-cholesky"), labelset_size=2, random_state=0),
    RAkELOverlapping(
        LogisticRegression(solver="newton-cholesky"),
        labelset_size=2,
        voting="proba",
        random_state=0,
    ),
    RAkELOverlapping(RidgeClassifier(), labelset_size=2, n_models=3, random_state=0),
    MultilabelForestClassifier(20, max_depth=4, random_state=0),
    MultilabelForestClassifier(
        40, bootstrap="balanced", splitter="random", min_samples_leaf=10, random_state=0
    ),
    MultilabelThresholdClassifier(BinaryRelevance(LogisticRegression()), cv=3),
    MultilabelThresholdClassifier(
        BinaryRelevance(LogisticRegression()), rule="gfm", calibration="holdout", random_state=0
    ),
    LabelEmbeddingClassifier(Ridge()),
    LabelEmbeddingClassifier(Ridge(), embedding="cca", n_components=3),
]

# For classifiers with a decision function; the check wants to index `classes_` by labels.
LISTED_CLASSES = {
    "check_classifier_multioutput": (
        "classes_ lists the values of each label, as scikit-learn's forests do; with an array its "
        "scorers would take two labels for two classes"
    ),
}

# For ensembles of bags: rows are drawn alike, and weights are those of the fits inside.
WEIGHTS_INSIDE_BAGS = dict.fromkeys(
    (
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ),
    "a row of weight 2 and the same row twice are drawn into other bags",
)
