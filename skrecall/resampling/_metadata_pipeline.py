"""A pipeline in which what belongs to a row stays with it when a sampler changes the rows."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline, make_pipeline
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.validation import check_memory

from skrecall.utils._row_metadata import is_per_row
from skrecall.utils._rows import take_rows
from skrecall.utils._sklearn import (
    _fit_transform_one,
    _num_samples,
    _print_elapsed_time,
    _routing_enabled,
)

from ._origins import Origins, fit_resample_with_origins, why_unknown


def _differ(first: Any, second: Any) -> NDArray[np.bool_]:
    """Return which entries of two containers differ; missing values do not."""
    if sparse.issparse(first):
        return np.diff((first != second).tocsr().indptr) > 0
    differ = np.asarray(first != second) & ~np.asarray(pd.isna(first) & pd.isna(second))
    return differ.reshape(len(differ), -1).any(axis=1)


def _between(values: Any, parents: Origins, name: str) -> Any:
    """Return an entry for each pair of rows: the mean of floats, else what both have in common."""
    if isinstance(values, pd.DataFrame) and values.shape[1]:
        columns = [_between(part, parents, str(key)) for key, part in values.items()]
        return pd.concat(columns, axis=1)
    if not (sparse.issparse(values) or isinstance(values, pd.Series)):
        values = np.asarray(values)
    first, second = (take_rows(values, parents[:, k]) for k in range(2))
    if first.dtype.kind == "f" or name == "sample_weight":
        return first / 2 + second / 2  # halved first: small integers and booleans would overflow
    torn = np.flatnonzero(_differ(first, second) & (parents[:, 0] != parents[:, 1]))
    if len(torn):
        made = np.sum(parents[:, 0] != parents[:, 1])
        pair = ""
        if first.ndim == 1:
            one, other = np.asarray([first[torn[0]], second[torn[0]]]).tolist()
            pair = f", for example {one!r} and {other!r}"
        raise ValueError(
            f"{len(torn)} of {made} synthetic rows have parents that differ in {name}{pair}: a row "
            "between the two belongs to neither. Use a sampler that selects rows, such as "
            "RandomOverSampler, or resample one group at a time; a quantity passed as floats gets "
            "the mean of its parents."
        )
    return first


def _fit_resample_one(
    sampler: Any, X: Any, y: Any, message_clsname: str, message: str | None, params: Any
) -> tuple[Any, Any, Any, Origins | None]:
    """Return what imbalanced-learn's function of this name does, and the origins of the rows."""
    with _print_elapsed_time(message_clsname, message):
        X, y, origins = fit_resample_with_origins(sampler, X, y, params.get("fit_resample", {}))
    return X, y, sampler, origins


class MetadataPipeline(Pipeline):
    """Pipeline of transformers and samplers in which metadata per row is resampled too.

    It takes the place of imbalanced-learn's `Pipeline`, whose tests it passes. There, samplers
    change `X` and `y` alone: weights routed to the classifier keep the length they had, and its
    `fit` fails, or takes the weight of one row for another where the number of rows happens to be
    the same. Here, every fit parameter with one entry per row follows the rows through the
    samplers to the steps behind them: `sample_weight`, `groups`, costs, and whatever else there
    is, by metadata routing or as ``step__sample_weight`` without it.

    - A row that was selected or copied keeps its entry.
    - A synthetic row has two parents and gets the mean of their entries if these are floats, or
      are called `sample_weight`.
    - Any other entry, such as the number of a group or a string, must be the same for both
      parents. A row between two patients belongs to neither: whichever it was given to, folds by
      patient would have parts of one patient on both sides, so this is refused.

    Parameters
    ----------
    steps : list of (str, estimator) tuples
        Names and estimators: transformers, samplers, "passthrough" or None, and a final estimator.
    transform_input : list of str, default=None
        Metadata that the steps before its consumer transform, such as a validation set; it is
        never resampled. Needs metadata routing.
    memory : str or object with the joblib.Memory interface, default=None
        Where to cache fitted transformers and samplers.
    verbose : bool, default=False
        Whether to print how long each step took.

    Attributes
    ----------
    named_steps : Bunch
        The steps by their names.
    classes_ : ndarray of shape (n_classes,)
        Class labels of the final estimator.
    n_features_in_ : int
        Number of features seen by the first step.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if `X` had any.

    Raises
    ------
    ValueError
        If a step behind a sampler asks for metadata, and the sampler cannot tell where its rows
        come from, or parents differ in what has no mean.

    See Also
    --------
    make_metadata_pipeline : The same without naming the steps.
    skrecall.model_selection.check_leakage : Tells whether something was resampled too early.

    Notes
    -----
    Where rows come from is known exactly of

    - samplers with `sample_indices_`: imbalanced-learn's RandomOverSampler (also with shrinkage)
      and all its under-samplers but ClusterCentroids, and those of this package that select rows;
    - samplers with `parent_indices_` of shape (n_samples_new, 2): those of this package that make
      rows, and any other that sets it;
    - imbalanced-learn's SMOTE, SMOTENC, BorderlineSMOTE, SVMSMOTE, KMeansSMOTE, ADASYN, SMOTEENN
      and SMOTETomek, by listening to what they draw, which changes nothing; a subclass with methods
      of its own has to set `parent_indices_`;
    - a FunctionSampler whose function returns the indices of its rows as a third value.

    SMOTEN and ClusterCentroids make a row of many others, and are refused where metadata would
    have to follow. SMOTENC takes categories from further neighbours; its parents are the two rows
    that its numbers lie between.

    As everywhere in scikit-learn, an array counts as one entry per row if its length is the number
    of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.datasets import make_imbalanced_classification
    >>> from skrecall.resampling import MetadataPipeline
    >>> data = make_imbalanced_classification(1000, prevalence=0.1, random_state=0)
    >>> weight = np.random.default_rng(0).uniform(0.5, 1.5, size=1000)
    >>> pipe = MetadataPipeline([("smote", SMOTE(random_state=0)), ("clf", LogisticRegression())])
    >>> pipe.fit(data.X, data.y, clf__sample_weight=weight).predict(data.X[:3])
    array([0, 0, 0])
    """

    _resamples_metadata: ClassVar[bool] = True
    steps: list[tuple[str, Any]]

    def __init__(
        self,
        steps: list[tuple[str, Any]],
        *,
        transform_input: list[str] | None = None,
        memory: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(steps, transform_input=transform_input, memory=memory, verbose=verbose)

    def _fit(
        self, X: Any, y: Any = None, routed_params: Any = None, raw_params: Any = None
    ) -> tuple[Any, Any]:
        """Fit and apply all steps but the last, and resample what the steps to come ask for."""
        self.steps = list(self.steps)
        self._validate_steps()
        memory = check_memory(self.memory)
        fit_transform_one = memory.cache(_fit_transform_one)
        fit_resample_one = memory.cache(_fit_resample_one)
        without_cache = getattr(memory, "location", "elsewhere") is None
        for index, name, step in self._iter(
            with_final=False, filter_passthrough=False, filter_resample=False
        ):
            message = self._log_message(index)
            if step is None or step == "passthrough":
                with _print_elapsed_time("Pipeline", message):
                    continue
            fitted = step if without_cache else clone(step)
            params = self._get_metadata_for_step(
                step_idx=index, step_params=routed_params[name], all_params=raw_params
            )
            if hasattr(fitted, "fit_resample"):
                followers = list(self._followers(index, X, routed_params))
                X, y, fitted, origins = fit_resample_one(
                    fitted, X, y, message_clsname="Pipeline", message=message, params=params
                )
                self._resample_metadata(name, fitted, followers, origins)
            else:
                X, fitted = fit_transform_one(
                    fitted,
                    X,
                    y,
                    weight=None,
                    message_clsname="Pipeline",
                    message=message,
                    params=params,
                )
            self.steps[index] = (name, fitted)
        return X, y

    def _followers(
        self, index: int, X: Any, routed_params: Any
    ) -> Iterator[tuple[str, dict[str, Any], str]]:
        """Yield the steps, their parameters and the names in them that have one entry per row."""
        for name, _ in self.steps[index + 1 :]:
            for params in (routed_params.get(name) or {}).values():
                for key, value in params.items():
                    if key not in (self.transform_input or ()) and is_per_row(
                        value, _num_samples(X)
                    ):
                        yield name, params, key

    def _resample_metadata(
        self,
        name: str,
        sampler: Any,
        followers: list[tuple[str, dict[str, Any], str]],
        origins: Origins | None,
    ) -> None:
        """Replace the metadata of the steps behind a sampler by that of the new rows."""
        if not followers:
            return
        if origins is None:
            step, _, key = followers[0]
            raise ValueError(
                f"{key} cannot follow the rows from step {name!r} to step {step!r}: "
                f"{type(sampler).__name__} {why_unknown(sampler)}"
            )
        resampled: dict[tuple[int, str], Any] = {}
        for _, params, key in followers:
            value = params[key]
            if (id(value), key) not in resampled:
                resampled[id(value), key] = (
                    take_rows(value, origins)
                    if origins.ndim == 1
                    else _between(value, origins, key)
                )
            params[key] = resampled[id(value), key]

    def _check_method_params(self, method: str, props: dict[str, Any], **kwargs: Any) -> Any:
        routed = super()._check_method_params(method, props, **kwargs)
        if not _routing_enabled():
            for params in routed.values():  # the parent leaves out what is meant for a sampler
                params["fit_resample"] = dict(params["fit"])
        return routed


def make_metadata_pipeline(
    *steps: Any,
    memory: Any = None,
    transform_input: list[str] | None = None,
    verbose: bool = False,
) -> MetadataPipeline:
    """Return a `MetadataPipeline` of steps named after their types.

    Parameters
    ----------
    *steps : estimators
        Transformers, samplers and a final estimator.
    memory : str or object with the joblib.Memory interface, default=None
        Where to cache fitted transformers and samplers.
    transform_input : list of str, default=None
        Metadata that the steps before its consumer transform.
    verbose : bool, default=False
        Whether to print how long each step took.

    Returns
    -------
    pipeline : MetadataPipeline
        The pipeline.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.resampling import make_metadata_pipeline
    >>> list(make_metadata_pipeline(SMOTE(), LogisticRegression()).named_steps)
    ['smote', 'logisticregression']
    """
    named = make_pipeline(*steps).steps
    return MetadataPipeline(named, memory=memory, transform_input=transform_input, verbose=verbose)
