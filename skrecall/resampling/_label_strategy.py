"""Which labels to resample, and how many positives each is to have: imbalanced-learn's words.

Where imbalanced-learn counts the rows of a class, these count the positives of a label. "auto" is
the rule of the papers: labels rarer, or more frequent, than the mean are resampled until they are
at the mean.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skrecall.label_space._imbalance import imbalance_of_counts
from skrecall.utils._indicator import Indicator, count_values

_ROUNDING = 1e-12  # a ratio no farther than this from the mean is at it
_NAMED = ("minority", "majority", "not minority", "not majority", "all")


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
    return ratio > np.nanmean(ratio) * (1 + _ROUNDING)


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
    fewest = near[ratio <= mean * (1 + _ROUNDING)][0]
    most = near[ratio >= mean * (1 - _ROUNDING)][-1]
    return int(fewest), int(most)


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
    if callable(sampling_strategy):
        sampling_strategy = sampling_strategy(Y)
    columns: Mapping[Any, int] = {}
    if isinstance(sampling_strategy, dict):
        columns = label_columns(len(counts), label_names)
    return resolve_targets(
        sampling_strategy,
        counts,
        kind,
        counts_at_the_mean(counts)[0 if kind == "over-sampling" else 1],
        columns,
    )


def label_columns(n_labels: int, label_names: NDArray | None) -> dict[Any, int]:
    """Return the column of each label by what the user calls it.

    Parameters
    ----------
    n_labels : int
        Number of columns.
    label_names : ndarray of shape (n_labels,) or None
        None means the indices of the labels.

    Returns
    -------
    columns : dict
        Index of the column by label.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    names = range(n_labels) if label_names is None else label_names.tolist()
    columns = {name: j for j, name in enumerate(names)}
    if len(columns) < n_labels:
        twice = [name for j, name in enumerate(names) if columns[name] != j]
        raise ValueError(
            "sampling_strategy names labels, and "
            f"{counted(len(twice), 'column of y has', 'columns of y have')} the name of another, "
            f"{twice[:5]}: give each its own."
        )
    return columns


def resolve_targets(
    sampling_strategy: Any,
    counts: NDArray[np.intp],
    kind: Literal["over-sampling", "under-sampling"],
    at_the_mean: int,
    columns: Mapping[Any, int],
    words: tuple[str, str] = ("positives", "label"),
) -> NDArray[np.intp]:
    """Return how many there are to be of each of several things that were counted.

    Parameters
    ----------
    sampling_strategy : str, float or dict
        Imbalanced-learn's words, a share of the greatest count, or a count for each.
    counts : ndarray of shape (n_things,)
        Present counts; those of 0 are left alone.
    kind : {"over-sampling", "under-sampling"}
        Whether counts are to grow or to fall.
    at_the_mean : int
        The count that "auto" leads to, from below or above.
    columns : mapping of object to int
        Where the keys of a dict are counted.
    words : tuple of str, default=("positives", "label")
        What is counted, and of what, in messages.

    Returns
    -------
    targets : ndarray of shape (n_things,)
        The present number of one that is not resampled.

    Raises
    ------
    ValueError
        If a key is not known, has nothing to copy, or is to be changed the other way.
    """
    over = kind == "over-sampling"
    if isinstance(sampling_strategy, dict):
        return _from_dict(sampling_strategy, counts, over, columns, words)
    if not isinstance(sampling_strategy, str):
        _check_share(sampling_strategy, words)
    occurs = counts > 0
    rarest, greatest = counts[occurs].min(), counts.max()
    goal = greatest if over else rarest
    if isinstance(sampling_strategy, str):
        if sampling_strategy == "auto":
            goal = at_the_mean
            is_chosen = counts < goal if over else counts > goal
        else:
            is_chosen = _named(sampling_strategy, counts)
    elif over:
        goal = int(np.ceil(sampling_strategy * greatest - 1e-9))
        is_chosen = counts < goal
    else:
        goal = int(rarest / sampling_strategy + 1e-9)
        is_chosen = counts > goal
    return np.where(occurs & is_chosen, goal, counts)


def chosen_labels(
    sampling_strategy: Any,
    Y: Indicator,
    auto: NDArray[np.bool_],
    label_names: NDArray | None = None,
) -> NDArray[np.bool_]:
    """Return which labels a sampler is to treat that has no number of positives to reach.

    Parameters
    ----------
    sampling_strategy : str, sequence or callable
        See `MLeNN` and `REMEDIAL`.
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    auto : ndarray of shape (n_labels,), dtype bool
        Which labels "auto" means.
    label_names : ndarray of shape (n_labels,), default=None
        What a sequence calls labels; None means their indices.

    Returns
    -------
    is_chosen : ndarray of shape (n_labels,), dtype bool
        False for a label without positives.

    Raises
    ------
    ValueError
        If a label is not known, or numbers are given.
    """
    counts = count_values(Y, 1)
    if callable(sampling_strategy):
        sampling_strategy = sampling_strategy(Y)
    if isinstance(sampling_strategy, str):
        is_chosen = auto if sampling_strategy == "auto" else _named(sampling_strategy, counts)
    elif isinstance(sampling_strategy, dict):
        raise ValueError(
            f"sampling_strategy is a dict, {sampling_strategy}, and there are no numbers of "
            f"positives to reach here: give a list of labels, such as {list(sampling_strategy)}."
        )
    elif np.ndim(sampling_strategy) != 1:
        raise ValueError(
            f"sampling_strategy is {sampling_strategy!r} or returned it: give one of "
            f"{['auto', *_NAMED]}, or a list of labels."
        )
    else:
        columns = label_columns(len(counts), label_names)
        wanted = list(sampling_strategy)
        if wanted and all(isinstance(label, bool | np.bool_) for label in wanted):
            named = [name for name, is_wanted in zip(columns, wanted, strict=False) if is_wanted]
            raise ValueError(
                "sampling_strategy is a list of True and False, and labels are given by name or "
                f"index: pass {named[:10]}."
            )
        refuse_unknown(wanted, columns, "label")
        is_chosen = np.zeros(len(counts), dtype=bool)
        is_chosen[[columns[name] for name in wanted]] = True
    return (counts > 0) & is_chosen


def _named(word: str, counts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return what a word of imbalanced-learn's means, other than "auto"."""
    if word not in _NAMED:
        raise ValueError(
            f"sampling_strategy returned {word!r}, which is none of {['auto', *_NAMED]}."
        )
    is_rarest, is_greatest = counts == counts[counts > 0].min(), counts == counts.max()
    return {
        "minority": is_rarest,
        "majority": is_greatest,
        "not minority": ~is_rarest,
        "not majority": ~is_greatest,
        "all": np.ones(len(counts), dtype=bool),
    }[word]


def _check_share(share: Any, words: tuple[str, str]) -> None:
    is_number = isinstance(share, Real) and not isinstance(share, bool)
    if not (is_number and 0 < share <= 1):
        things, of = words
        raise ValueError(
            f"sampling_strategy returned {share!r}: return a dict of {things} by {of}, a share "
            f"above 0 and up to 1, or one of {['auto', *_NAMED]}."
        )


def refuse_unknown(wanted: Iterable, columns: Mapping[Any, int], word: str) -> None:
    """Refuse what a strategy names and there is not.

    Parameters
    ----------
    wanted : iterable
        What it names.
    columns : mapping of object to int
        What there is.
    word : str
        What to call it.

    Raises
    ------
    ValueError
        If something is not there.
    """
    unknown = [name for name in wanted if name not in columns]
    if not unknown:
        return
    known = list(columns)
    there = ", ".join([repr(name) for name in known[:10]] + ["..."] * (len(known) > 10))
    raise ValueError(
        f"sampling_strategy names {word}s {unknown[:5]}, and y has [{there}]."
        + _what_was_meant(unknown, known)
    )


def _what_was_meant(unknown: list, known: list) -> str:
    """Return a sentence on names that are not there, or nothing."""
    words = [name for name in unknown if isinstance(name, str)]
    if words and known == list(range(len(known))):
        return (
            " It came without names, as an array does, also inside an estimator that hands labels "
            "on as one: there a label is named by its index among the labels given."
        )
    names = [name for name in known if isinstance(name, str)]
    meant = [near[0] for name in words if (near := get_close_matches(name, names, n=1))]
    return f" Did you mean {', '.join(map(repr, meant[:5]))}?" if meant else ""


def counted(n: int, one: str, several: str) -> str:
    """Return a number with the words that follow it.

    Parameters
    ----------
    n : int
        How many there are.
    one, several : str
        What follows 1, and what any other number.

    Returns
    -------
    text : str
        Such as "1 label has" or "2 labels have".
    """
    return f"{n} {one if n == 1 else several}"


def _from_dict(
    strategy: dict,
    counts: NDArray[np.intp],
    over: bool,
    columns: Mapping[Any, int],
    words: tuple[str, str],
) -> NDArray[np.intp]:
    things, of = words
    refuse_unknown(strategy, columns, of)
    targets = counts.copy()
    for name, target in strategy.items():
        count = counts[columns[name]]
        if isinstance(target, bool) or not isinstance(target, int | np.integer):
            raise ValueError(
                f"sampling_strategy asks for {target!r} {things} of {of} {name!r}: give a whole "
                "number."
            )
        if over and count == 0 and target > 0:
            raise ValueError(
                f"sampling_strategy asks for {target} {things} of {of} {name!r}, which has none: "
                "there is no row to make them from."
            )
        if (target < count) if over else (target > count or target < 0):
            change = "at least as many" if over else "at most as many, and none below 0,"
            raise ValueError(
                f"sampling_strategy asks for {target} {things} of {of} {name!r}, which has "
                f"{count}: give {change} where rows are {'added' if over else 'removed'}."
            )
        targets[columns[name]] = target
    return targets
