"""What the estimators over a skorch net share: samples in, raw scores out."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from numbers import Integral, Real
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.callbacks import Callback
from torch import Tensor, nn

from skrecall.nn import BATCH_SAMPLERS, HEADS, freeze
from skrecall.utils._fitting import MAX_SEED
from skrecall.utils._sklearn import Interval, StrOptions

from ._building import build_loss, build_module, views_of
from ._callbacks import SCHEDULES
from ._data import (
    _ArrayDataset,
    check_channels_first,
    check_pixel_kind,
    n_dimensions,
    sample_shape,
    stack_images,
)
from ._net import _Net
from ._prior_factor import prior_factor
from ._runtime import torch_threads
from ._stored import BaseSource, _StoredDataset, as_source, join_samples
from ._training import OPTIMIZERS, train_net

WEIGHTS = ("sample_weight", "late_weight")
DEFAULT_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}


class BaseNetEstimator(BaseEstimator):  # numpydoc ignore=PR01
    """An estimator that holds a skorch net as ``net_`` and owns scikit-learn's contract itself.

    A subclass has the parameters of ``_parameter_constraints``. Its `fit` and `partial_fit` call
    ``_fit`` and ``_partial_fit``; its predictions are ``_targets.decode`` and others of what
    ``_logits`` returns. ``_learn_targets`` says what kind of target it has, as `ClassTargets` does;
    ``_dataset``, ``_network`` and the parts of ``_check_X`` may be overridden for another kind of
    sample.

    What comes with every row beside its sample, such as the lengths of clips, is passed on to the
    network and to the loss where they have an argument of that name.
    """

    net_: _Net
    _targets: Any  # ClassTargets, or what answers as it does
    _samples = "images"  # what messages call those that are no rows of a table
    class_weight: dict[Any, float] | str | None = None  # parameters where a row has one class
    reweight_from: float | None = None

    _parameter_constraints: dict = {
        "backbone": [nn.Module, callable, None],
        "head": [StrOptions(set(HEADS)), nn.Module, callable, None],
        "head_params": [dict, None],
        "image_shape": [tuple, list, None],
        "loss": [str, dict, nn.Module],
        "loss_params": [dict, None],
        "sampler": [StrOptions(set(BATCH_SAMPLERS)), callable, None],
        "sampler_params": [dict, None],
        "augmentation": [str, callable, list, tuple, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "lr_schedule": [StrOptions(set(SCHEDULES)), callable, None],
        "gradient_clipping": [Interval(Real, 0, None, closed="neither"), None],
        "ema_decay": [Interval(Real, 0, 1, closed="neither"), None],
        "freeze": [str, list, tuple, None],
        "backbone_lr": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "scoring": [str, callable, None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "checkpoint_dir": [str, PathLike, None],
        "test_time_views": [StrOptions({"flip"}), list, None],
        "compile": ["boolean"],
        "device": [str, torch.device],
        "amp": [StrOptions({"bfloat16", "float16"}), None],
        "callbacks": [list, None],
        "warm_start": ["boolean"],
        "n_workers": [Interval(Integral, 0, None, closed="left")],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        backbone: nn.Module | Callable[..., nn.Module] | None = None,
        *,
        head: str | nn.Module | Callable[..., nn.Module] | None = None,
        head_params: dict[str, Any] | None = None,
        image_shape: Sequence[int] | None = None,
        loss: str | nn.Module | dict[str, float] = "cross_entropy",
        loss_params: dict[str, Any] | None = None,
        sampler: str | Callable[..., Any] | None = None,
        sampler_params: dict[str, Any] | None = None,
        augmentation: str | Callable[[Tensor], Any] | Sequence[Any] | None = None,
        max_epochs: int = 20,
        lr: float = 0.001,
        batch_size: int = 64,
        weight_decay: float = 0.0001,
        optimizer: str | Callable[..., torch.optim.Optimizer] = "adamw",
        lr_schedule: str | Callable[..., Any] | None = None,
        gradient_clipping: float | None = None,
        ema_decay: float | None = None,
        freeze: str | Sequence[str] | None = None,
        backbone_lr: float | None = None,
        early_stopping: bool = False,
        scoring: str | Callable[..., float] | None = None,
        validation_fraction: float = 0.1,
        patience: int = 5,
        checkpoint_dir: str | PathLike[str] | None = None,
        test_time_views: str | list[Callable[[Tensor], Tensor]] | None = None,
        compile: bool = False,
        device: str | torch.device = "auto",
        amp: str | None = None,
        callbacks: list[Callback] | None = None,
        warm_start: bool = False,
        n_workers: int = 0,
        n_threads: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.backbone = backbone
        self.head = head
        self.head_params = head_params
        self.image_shape = image_shape
        self.loss = loss
        self.loss_params = loss_params
        self.sampler = sampler
        self.sampler_params = sampler_params
        self.augmentation = augmentation
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.optimizer = optimizer
        self.lr_schedule = lr_schedule
        self.gradient_clipping = gradient_clipping
        self.ema_decay = ema_decay
        self.freeze = freeze
        self.backbone_lr = backbone_lr
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.checkpoint_dir = checkpoint_dir
        self.test_time_views = test_time_views
        self.compile = compile
        self.device = device
        self.amp = amp
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.n_workers = n_workers
        self.n_threads = n_threads
        self.verbose = verbose
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_X(self, X: ArrayLike, *, reset: bool) -> Any:
        """Return samples as a finite float32 array, or uint8 where they are uint8 images.

        What does not fit in memory stays where it is, as a `BaseSource` of such samples.
        """
        image_shape = self._image_shape() if reset else self._fitted_image_shape()
        source = as_source(X, image_shape, self._sample_shape)
        if source is not None:
            return self._check_source(source, reset=reset)
        X = stack_images(X)
        flat = n_dimensions(X) < 3
        table = flat and image_shape is None
        if not table and isinstance(X, list | tuple | Tensor):
            X = np.asarray(X)  # of a list or a tensor validate_data does not see that it is uint8
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused as infinite
            X = validate_data(
                self,
                X,
                reset=reset,
                dtype=np.float32 if table else [np.float32, np.uint8],
                ensure_2d=flat,
                allow_nd=not flat,
            )
        shape = self._sample_shape(X.shape, image_shape)
        if reset and image_shape is None:
            check_channels_first(shape)
        if not flat:
            if not reset:
                self._check_images_expected(shape)
            self._check_width(X, reset=reset)
        if reset:
            self.input_shape_, self.input_dtype_ = shape, X.dtype
        else:
            check_pixel_kind(X.dtype, self.input_dtype_)
        return X.reshape(-1, *shape)

    def _check_source(self, source: BaseSource, *, reset: bool) -> BaseSource:
        """Return samples that are not in memory, after the same checks."""
        shape = source.sample_shape
        if not reset:
            self._check_images_expected(shape)
            check_pixel_kind(source.dtype, self.input_dtype_)
        elif self._image_shape() is None:
            check_channels_first(shape)
        if reset or len(shape) == 1:
            values = np.empty((1, math.prod(shape)))
            validate_data(self, values, reset=reset, skip_check_array=True)
        if reset:
            self.input_shape_, self.input_dtype_ = shape, source.dtype
        return source

    def _check_images_expected(self, shape: tuple[int, ...]) -> None:
        if len(shape) > 1 and self._fitted_image_shape() is None:
            raise ValueError(
                f"X holds {self._samples} of shape {shape}, and {type(self).__name__} was fitted "
                f"on a table of {self.n_features_in_} features: fit again on {self._samples}."
            )

    def _image_shape(self) -> tuple[int, ...] | None:
        if self.image_shape is None:
            return None
        shape = tuple(self.image_shape)
        if len(shape) != 3 or not all(isinstance(n, Integral) and int(n) > 0 for n in shape):
            raise ValueError(
                f"image_shape={self.image_shape!r} must be three positive integers, "
                "(n_channels, height, width)."
            )
        return shape

    def _fitted_image_shape(self) -> tuple[int, ...] | None:
        return self.input_shape_ if len(self.input_shape_) == 3 else None

    def _sample_shape(
        self, X_shape: tuple[int, ...], stated: tuple[int, ...] | None
    ) -> tuple[int, ...]:
        return sample_shape(X_shape, stated)

    def _check_width(self, X: NDArray[Any], *, reset: bool) -> None:
        """Count the values of a sample that is no row, or compare them with those counted."""
        validate_data(self, X.reshape(len(X), -1), reset=reset, skip_check_array=True)

    def _learn_targets(self, X: Any, y: ArrayLike) -> Any:
        """Return the kind of target that a new fit finds, and set what describes it."""
        raise NotImplementedError(f"{type(self).__name__} must implement _learn_targets.")

    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        kind: Any = None,
        wrap_loss: Callable[[nn.Module], nn.Module] | None = None,
        unlabeled: ArrayLike | None = None,
        **inputs: NDArray[Any] | None,
    ) -> Self:
        """Train on all rows; `wrap_loss` makes another loss of the loss.

        `kind` is the kind of target, None being what `y` shows. Rows `unlabeled` follow those that
        have targets: they are trained on as rows whose targets are missing. `inputs` come with
        every row, unlabeled ones included.
        """
        if self.checkpoint_dir is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"checkpoint_dir needs an int for random_state, and it is {self.random_state!r}: "
                "by anything else a fit that goes on would not be the fit that was killed."
            )
        proceed = self.warm_start and hasattr(self, "net_")
        if not proceed and hasattr(self, "net_"):
            del self.net_  # a fit that fails leaves nothing that would predict
        X = self._check_X(X, reset=not proceed)
        if not proceed:
            self._targets = self._learn_targets(X, y) if kind is None else kind
            self._start()
        targets = self._targets.encode(X, y)
        weight = self._weights(targets, sample_weight)
        self._targets.check_fit(targets, weight)
        inputs.update(self._weight_inputs(targets, weight, sample_weight))
        train: NDArray[np.intp] | slice = slice(None)
        valid = valid_labels = None
        if self.early_stopping:
            train, held_out = self._targets.holdout(
                targets, self.validation_fraction, self._split_seed
            )
            valid = self._dataset(X, targets, inputs, held_out)
            valid_labels = self._targets.labels(targets[held_out])
        counts = self._count(targets[train])
        if unlabeled is None:
            dataset = self._dataset(X, targets, inputs, train)
        else:
            dataset = self._with_unlabeled(X, unlabeled, targets, inputs, train)
        train_net(
            self,
            dataset,
            valid,
            valid_labels,
            counts=counts,
            max_epochs=self.max_epochs,
            wrap_loss=wrap_loss,
            proceed=proceed,
        )
        self.prior_factor_ = prior_factor(self, targets)
        return self

    def _with_unlabeled(
        self,
        X: Any,
        unlabeled: ArrayLike,
        targets: NDArray[Any],
        inputs: Mapping[str, NDArray[Any] | None],
        rows: NDArray[np.intp] | slice,
    ) -> _ArrayDataset:
        """Return some of the rows, and all those without targets, whose weights are 1."""
        X_more = self._check_X(unlabeled, reset=False)
        more = np.arange(len(X), len(X) + len(X_more))
        missing = np.full((len(more), *targets.shape[1:]), self._targets.missing)
        weights = {
            name: np.append(values, np.ones(len(more)))
            for name in WEIGHTS
            if (values := inputs.get(name)) is not None
        }
        return self._dataset(
            join_samples(X, X_more),
            np.concatenate([targets, missing.astype(targets.dtype)]),
            {**inputs, **weights},
            np.append(np.arange(len(X))[rows], more),
        )

    def _partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        kind: Any,
        **inputs: NDArray[Any] | None,
    ) -> Self:
        """Train on a chunk for one epoch; `kind` is its kind of target, if this is the first."""
        for name, needs_all in (
            ("early_stopping", self.early_stopping),
            ("lr_schedule", self.lr_schedule is not None),
            ("checkpoint_dir", self.checkpoint_dir is not None),
            ("class_weight", isinstance(self.class_weight, str)),
            ("reweight_from", self.class_weight is not None and self.reweight_from is not None),
        ):
            if needs_all:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} needs all data at once, and partial_fit sees "
                    "a chunk: call fit, or set it otherwise (class_weight takes a dict)."
                )
        proceed = hasattr(self, "net_")
        X = self._check_X(X, reset=not proceed)
        if not proceed:
            self._targets = kind
            self._start()
        targets = self._targets.encode(X, y)
        inputs["sample_weight"] = self._weights(targets, sample_weight)
        self.prior_factor_ = None
        train_net(
            self,
            self._dataset(X, targets, inputs),
            counts={},
            max_epochs=1,
            wrap_loss=None,
            proceed=proceed,
        )
        return self

    def _start(self) -> None:
        """Draw what goes on from fit to fit: the stream of seeds, and the rows held out."""
        self._rng = check_random_state(self.random_state)
        self._split_seed = int(self._rng.randint(MAX_SEED))

    def _weights(
        self, targets: NDArray[Any], sample_weight: ArrayLike | None
    ) -> NDArray[np.float64] | None:
        return self._targets.row_weights(targets, sample_weight, self.class_weight)

    def _weight_inputs(
        self,
        targets: NDArray[Any],
        weight: NDArray[np.float64] | None,
        sample_weight: ArrayLike | None,
    ) -> dict[str, NDArray[np.float64] | None]:
        """Return the weights of the rows of mean 1, and of late epochs, if those have others."""
        mean_one = None if weight is None else weight / weight.mean()
        if self.class_weight is None or self.reweight_from is None:
            return {"sample_weight": mean_one}
        early = self._targets.row_weights(targets, sample_weight)
        early = np.ones(len(targets)) if early is None else early / early.mean()
        return {"sample_weight": early, "late_weight": mean_one}

    def _dataset(
        self,
        X: Any,
        targets: NDArray[Any],
        inputs: Mapping[str, NDArray[Any] | None],
        rows: NDArray[np.intp] | slice = slice(None),
    ) -> _ArrayDataset:
        """Return some of the rows as what a net iterates over."""
        chosen = {name: None if values is None else values[rows] for name, values in inputs.items()}
        if isinstance(X, BaseSource):
            return _StoredDataset(X[rows], targets[rows], n_workers=self.n_workers, **chosen)
        return _ArrayDataset(X[rows], targets[rows], **chosen)

    def _network(self, **head_params: Any) -> nn.Module:
        """Return a new network for samples of ``input_shape_``."""
        module = build_module(
            self.backbone,
            self.input_shape_,
            self._targets.n_outputs,
            head=self.head,
            head_params=head_params,
        )
        if self.freeze is not None:
            freeze(module, self.freeze)
        return module

    def _head_params(self, loss: nn.Module, counts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the head."""
        given = dict(self.head_params or {})
        if given and self.head is None:
            raise ValueError(f"head_params={given} belong to a head, and head is None.")
        if self.head == "cosine" and getattr(loss, "takes_cosines", False):
            return {"scale": 1.0, **given}
        if self.head == "label_graph" and "adjacency" not in given:
            if "adjacency" not in counts:
                raise ValueError(
                    "head='label_graph' needs all labels at once, and partial_fit sees a chunk: "
                    "call fit, or pass head_params={'adjacency': ...}."
                )
            return {"adjacency": counts["adjacency"], **given}
        return given

    def _count(self, targets: NDArray[Any]) -> dict[str, Any]:
        """Return what losses and heads ask to be told of the training rows."""
        counts = self._targets.counts(targets)
        if self.head == "label_graph" and "adjacency" not in (self.head_params or {}):
            counts["adjacency"] = self._targets.adjacency(targets)
        return counts

    def _criterion(
        self, counts: Mapping[str, Any], wrap_loss: Callable[[nn.Module], nn.Module] | None
    ) -> nn.Module:
        """Return a new loss, or what `wrap_loss` makes of it."""
        name = DEFAULT_LOSSES[self._targets.nonlinearity] if self.loss is None else self.loss
        loss = build_loss(name, self.loss_params, counts)
        return loss if wrap_loss is None else wrap_loss(loss)

    def _logits(self, X: ArrayLike, **inputs: NDArray[Any] | None) -> Tensor:
        """Return raw scores of shape (n_samples, n_outputs), on the CPU."""
        check_is_fitted(self, "net_")
        views = views_of(self.test_time_views, self.input_shape_)
        if isinstance(X, _ArrayDataset):  # rows held out, in the course of a fit
            return self.net_.mean_logits(X, views)
        X = self._check_X(X, reset=False)
        with (
            torch_threads(self.n_threads),
            closing(self._dataset(X, np.zeros(len(X)), inputs)) as dataset,
        ):
            return self.net_.mean_logits(dataset, views)
