"""One instance of every multi-label classifier, for the common tests; cheap ones, as each is fitted
some two hundred times."""

from sklearn.linear_model import LogisticRegression, RidgeClassifier

from skrecall.multilabel import (
    BinaryRelevance,
    BRkNN,
    ClassifierChain,
    InstanceBasedLogisticRegression,
    MLkNN,
    ProbabilisticClassifierChain,
)

MULTILABEL: list = [
    BinaryRelevance(LogisticRegression()),
    BinaryRelevance(RidgeClassifier(), random_state=0),
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
    BRkNN(21, extension="a"),
    MLkNN(3),
    InstanceBasedLogisticRegression(LogisticRegression(), n_neighbors=5, add_features=True),
]

# For classifiers with a decision function; the check wants to index `classes_` by labels.
LISTED_CLASSES = {
    "check_classifier_multioutput": (
        "classes_ lists the values of each label, as scikit-learn's forests do; with an array its "
        "scorers would take two labels for two classes"
    ),
}
