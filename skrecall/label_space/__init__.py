"""What a multi-label target looks like: counts, imbalance, co-occurrence, partitions."""

from ._communities import community_partition
from ._cooccurrence import (
    label_adjacency,
    label_conditional_probability,
    label_cooccurrence,
    label_jaccard,
    label_lift,
)
from ._partitions import (
    hierarchical_partition,
    k_means_partition,
    random_label_subsets,
    random_partition,
)

__all__ = [
    "community_partition",
    "hierarchical_partition",
    "k_means_partition",
    "label_adjacency",
    "label_conditional_probability",
    "label_cooccurrence",
    "label_jaccard",
    "label_lift",
    "random_label_subsets",
    "random_partition",
]
