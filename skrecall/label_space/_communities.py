"""Communities of the label graph as parts, found by networkx.

References
----------
.. [1] P. Szymanski, T. Kajdanowicz, K. Kersting, "How is a data-driven approach better than random
   choice in label space division for multi-label classification?", Entropy 18(8), 2016.
"""

from typing import Any, Literal

import numpy as np
from scipy.sparse import coo_array, triu
from sklearn.utils import check_random_state

from skrecall.utils._checks import check_option
from skrecall.utils._indicator import check_indicator
from skrecall.utils._optional import import_optional

from ._cooccurrence import label_cooccurrence, label_jaccard
from ._partitions import Partition

METHODS = ("louvain", "greedy_modularity", "label_propagation")
WEIGHTS = ("count", "jaccard", "equal")


def community_partition(
    Y: Any,
    method: Literal["louvain", "greedy_modularity", "label_propagation"] = "louvain",
    *,
    weight: Literal["count", "jaccard", "equal"] = "count",
    resolution: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> Partition:
    """Part labels into communities of the graph of labels that occur together [1]_.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator. Two labels are joined by an edge if some row carries both.
    method : {"louvain", "greedy_modularity", "label_propagation"}, default="louvain"
        How networkx looks for communities: the first two maximise modularity, the third lets
        labels take over the community of most of their neighbours.
    weight : {"count", "jaccard", "equal"}, default="count"
        Weight of an edge: the number of rows with both labels, their share in the rows with either,
        or 1.
    resolution : float, default=1.0
        Of modularity: more makes smaller communities. "label_propagation" has none.
    random_state : int, RandomState instance or None, default=None
        Order in which labels are visited; "greedy_modularity" does not draw.

    Returns
    -------
    partition : list of ndarray of int
        Increasing label indices of each part, in the order of their first labels. A label that
        occurs with no other is a part of its own.

    Raises
    ------
    ImportError
        If networkx is not installed, which ``pip install 'skrecall[graph]'`` does.

    References
    ----------
    .. [1] P. Szymanski, T. Kajdanowicz, K. Kersting, "How is a data-driven approach better than
       random choice in label space division for multi-label classification?", Entropy 18(8), 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.label_space import community_partition
    >>> Y = np.array([[1, 0, 1, 0], [1, 0, 1, 0], [0, 1, 0, 1]])
    >>> community_partition(Y, random_state=0)
    [array([0, 2]), array([1, 3])]
    """
    check_option(method, METHODS, name="method")
    check_option(weight, WEIGHTS, name="weight")
    networkx = import_optional("networkx", purpose="skrecall.label_space.community_partition")
    Y, _ = check_indicator(Y, accept_sparse=True)
    pairs = coo_array(triu(label_jaccard(Y) if weight == "jaccard" else label_cooccurrence(Y), k=1))
    weights = np.ones_like(pairs.data) if weight == "equal" else pairs.data
    graph = networkx.Graph()
    graph.add_nodes_from(range(Y.shape[1]))
    edges = zip(pairs.row.tolist(), pairs.col.tolist(), weights.tolist(), strict=True)
    graph.add_weighted_edges_from(edges)
    if not graph.number_of_edges():
        return [np.array([label]) for label in graph]
    find = networkx.community
    rng = check_random_state(random_state)
    if method == "louvain":
        communities = find.louvain_communities(graph, resolution=resolution, seed=rng)
    elif method == "greedy_modularity":
        communities = find.greedy_modularity_communities(
            graph, weight="weight", resolution=resolution
        )
    else:
        communities = find.asyn_lpa_communities(graph, weight="weight", seed=rng)
    parts = [np.array(sorted(community), dtype=np.intp) for community in communities]
    return sorted(parts, key=lambda part: int(part[0]))
