"""Which labels to resample, and how many positives each is to have: imbalanced-learn's words.

Where imbalanced-learn counts the rows of a class, these count the positives of a label. "auto" is
the rule of the papers: labels rarer, or more frequent, than the mean are resampled until they are
at the mean.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skrecall.label_space._imbalance import imbalance_of_counts
from skrecall.utils._indicator import Indicator, count_values


def minority_labels(counts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which labels are rarer than the mean: IRLbl > MeanIR.

    Parameters
    ----------
    counts : ndarray of shape (n_labels,)
        Positives of each label.

    Returns
    -------
    is_minority : ndarray of shape (n_labels,), dtype bool
        False for a label without positives.
    """
    ratio = imbalance_of_counts(counts)
    return ratio > np.nanmean(ratio)


def counts_at_the_mean(counts: NDArray[np.intp]) -> tuple[int, int]:
    """Return the fewest positives at which a label is not rarer than the mean, and the most.

    Parameters
    ----------
    counts : ndarray of shape (n_labels,)
        Positives of each label, some of them not 0.

    Returns
    -------
    fewest, most : int
        Smallest ``c`` with ``max(counts) / c <= MeanIR``, and greatest with ``>= MeanIR``.
    """
    mean = np.nanmean(imbalance_of_counts(counts))
    greatest = counts.max()
    near = int(greatest / mean) + np.arange(-1, 3)
    near = near[near > 0]
    ratio = greatest / near
    return int(near[ratio <= mean][0]), int(near[ratio >= mean][-1])


def target_counts(
    sampling_strategy: Any,
    Y: Indicator,
    kind: Literal["over-sampling", "under-sampling"],
    label_names: NDArray | None = None,
) -> NDArray[np.intp]:
    """Return how many positives each label is to have.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable
        See `MLROS` and `MLRUS`.
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator, of which a callable gets dense or sparse what the sampler got.
    kind : {"over-sampling", "under-sampling"}
        Whether positives are added or removed.
    label_names : ndarray of shape (n_labels,), default=None
        Keys of a dict; None means the indices of the labels.

    Returns
    -------
    targets : ndarray of shape (n_labels,)
        The present number for a label that is not resampled.

    Raises
    ------
    ValueError
        If a label is not known, has no positive to copy, or is to be changed the other way.
    """
    counts = count_values(Y, 1)
    occurs = counts > 0
    rarest, greatest = counts[occurs].min(), counts.max()
    over = kind == "over-sampling"
    goal = greatest if over else rarest
    if callable(sampling_strategy):
        sampling_strategy = sampling_strategy(Y)
    if isinstance(sampling_strategy, dict):
        return _from_dict(sampling_strategy, counts, over, label_names)
    if isinstance(sampling_strategy, str):
        fewest, most = counts_at_the_mean(counts)
        chosen: dict[str, Callable[[], NDArray]] = {
            "auto": lambda: occurs & (counts < fewest if over else counts > most),
            "minority": lambda: counts == rarest,
            "majority": lambda: counts == greatest,
            "not minority": lambda: occurs & (counts > rarest),
            "not majority": lambda: occurs & (counts < greatest),
            "all": lambda: occurs,
        }
        if sampling_strategy == "auto":
            goal = fewest if over else most
        is_chosen = chosen[sampling_strategy]()
    elif over:
        goal = int(np.ceil(sampling_strategy * greatest - 1e-9))
        is_chosen = occurs & (counts < goal)
    else:
        goal = int(rarest / sampling_strategy + 1e-9)
        is_chosen = counts > goal
    return np.where(is_chosen, goal, counts)


def _from_dict(
    strategy: dict, counts: NDArray[np.intp], over: bool, label_names: NDArray | None
) -> NDArray[np.intp]:
    names = list(range(len(counts))) if label_names is None else label_names.tolist()
    unknown = [label for label in strategy if label not in names]
    if unknown:
        raise ValueError(
            f"sampling_strategy names labels {unknown}, and y has {names[:10]}"
            f"{'...' if len(names) > 10 else ''}."
        )
    targets = counts.copy()
    for label, target in strategy.items():
        column = names.index(label)
        count = counts[column]
        if over and count == 0 and target > 0:
            raise ValueError(
                f"sampling_strategy asks for {target} positives of label {label!r}, which has "
                "none: there is no row to make them from."
            )
        if (target < count) if over else (target > count or target < 0):
            change = "at least as many" if over else "at most as many, and none below 0,"
            raise ValueError(
                f"sampling_strategy asks for {target} positives of label {label!r}, which has "
                f"{count}: give {change} where rows are {'added' if over else 'removed'}."
            )
        targets[column] = target
    return targets
