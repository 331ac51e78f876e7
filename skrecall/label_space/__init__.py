"""What a multi-label target looks like: counts, imbalance, co-occurrence, partitions."""

from ._communities import community_partition
from ._cooccurrence import (
    label_adjacency,
    label_conditional_probability,
    label_cooccurrence,
    label_jaccard,
    label_lift,
)
from ._imbalance import (
    imbalance_ratio_cv,
    imbalance_ratio_per_label,
    label_report,
    label_space_summary,
    mean_imbalance_ratio,
    scumble,
    theoretical_complexity_score,
)
from ._label_sets import label_cardinality, label_counts, label_density, label_sets
from ._partitions import (
    hierarchical_partition,
    k_means_partition,
    random_label_subsets,
    random_partition,
)

__all__ = [
    "community_partition",
    "hierarchical_partition",
    "imbalance_ratio_cv",
    "imbalance_ratio_per_label",
    "k_means_partition",
    "label_adjacency",
    "label_cardinality",
    "label_conditional_probability",
    "label_cooccurrence",
    "label_counts",
    "label_density",
    "label_jaccard",
    "label_lift",
    "label_report",
    "label_sets",
    "label_space_summary",
    "mean_imbalance_ratio",
    "random_label_subsets",
    "random_partition",
    "scumble",
    "theoretical_complexity_score",
]
