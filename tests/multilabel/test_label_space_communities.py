"""Partitions by networkx, which the bare environment lacks."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.tree import DecisionTreeClassifier

from skrecall.label_space import community_partition
from skrecall.multilabel import LabelPowerset, LabelSpacePartitionClassifier


@pytest.mark.parametrize("name", ["louvain", "greedy_modularity", "label_propagation"])
def test_communities_are_parts(name):
    X, Y = make_multilabel_classification(120, 6, n_classes=6, n_labels=2, random_state=1)
    trees = LabelPowerset(DecisionTreeClassifier(max_depth=3, random_state=0))
    params = {"weight": "jaccard", "resolution": 1.3}
    model = LabelSpacePartitionClassifier(trees, name, partition_params=params, random_state=0).fit(
        X, Y
    )
    expected = community_partition(Y, name, **params, random_state=np.random.RandomState(0))
    for part, of_graph in zip(model.partition_, expected, strict=True):
        assert part.tolist() == of_graph.tolist()
    assert model.predict(X).shape == Y.shape
