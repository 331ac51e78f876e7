"""What the estimators over a skorch net share: samples in, training, raw scores out."""

import copy
import math
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split
from torch import Tensor, nn

from skrecall.utils._fitting import MAX_SEED
from skrecall.utils._sklearn import Interval, StrOptions

from ._data import (
    _ArrayDataset,
    _SlicedBatches,
    check_channels_first,
    check_pixel_kind,
    n_dimensions,
    sample_shape,
    stack_images,
)
from ._net import NONLINEARITIES, _Net, build_loss, build_module
from ._runtime import check_amp, resolve_device, seeded, torch_threads
from ._stored import Source, _StoredDataset, as_source, join_samples
from ._targets import ClassTargets

DEFAULT_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}


class BaseNetEstimator(BaseEstimator):
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
    _targets: ClassTargets
    _samples = "images"  # what messages call those that are no rows of a table
    n_workers: int = 0

    _parameter_constraints: dict = {
        "backbone": [nn.Module, callable, None],
        "image_shape": [tuple, list, None],
        "loss": [str, dict, nn.Module],
        "loss_params": [dict, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device],
        "amp": [StrOptions({"bfloat16", "float16"}), None],
        "callbacks": [list, None],
        "warm_start": ["boolean"],
        "n_workers": [Interval(Integral, 0, None, closed="left")],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_X(self, X: ArrayLike, *, reset: bool) -> Any:
        """Return samples as a finite float32 array, or uint8 where they are uint8 images.

        What does not fit in memory stays where it is, as a `Source` of such samples.
        """
        image_shape = self._image_shape() if reset else self._fitted_image_shape()
        source = as_source(X, image_shape)
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

    def _check_source(self, source: Source, *, reset: bool) -> Source:
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
        criterion: Callable[[nn.Module], nn.Module] | None = None,
        unlabeled: ArrayLike | None = None,
        **inputs: NDArray[Any] | None,
    ) -> Self:
        """Train on all rows; `criterion` makes another loss of the loss.

        Rows `unlabeled` follow those that have targets: they are trained on as rows whose targets
        are missing. `inputs` come with every row, unlabeled ones included.
        """
        proceed = self.warm_start and hasattr(self, "net_")
        X = self._check_X(X, reset=not proceed)
        if not proceed:
            self._targets = self._learn_targets(X, y)
            self._start()
        targets = self._targets.encode(X, y)
        weight = self._weights(targets, sample_weight)
        self._targets.check_fit(targets, weight)
        if weight is not None:
            weight = weight / weight.mean()
        inputs["sample_weight"] = weight
        train: NDArray[np.intp] | slice = slice(None)
        valid = None
        if self.early_stopping:
            train, held_out = self._targets.holdout(
                targets, self.validation_fraction, self._split_seed
            )
            valid = self._dataset(X, targets, inputs, held_out)
        counts = self._targets.counts(targets[train])
        if unlabeled is not None:
            X_more = self._check_X(unlabeled, reset=False)
            more = np.arange(len(X), len(X) + len(X_more))
            train = np.append(np.arange(len(X))[train], more)
            X = join_samples(X, X_more)
            missing = np.full((len(more), *targets.shape[1:]), self._targets.missing)
            targets = np.concatenate([targets, missing.astype(targets.dtype)])
            if weight is not None:
                inputs["sample_weight"] = np.append(weight, np.ones(len(more)))
        return self._train(
            self._dataset(X, targets, inputs, train),
            valid,
            counts=counts,
            max_epochs=self.max_epochs,
            criterion=criterion,
            proceed=proceed,
        )

    def _partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        targets: Any,
        criterion: Callable[[nn.Module], nn.Module] | None = None,
        **inputs: NDArray[Any] | None,
    ) -> Self:
        """Train on a chunk for one epoch; `targets` is its kind of target, if this is the first."""
        if self.early_stopping:
            raise ValueError(
                "early_stopping=True needs all data at once, and partial_fit sees a chunk: call "
                "fit, or set it otherwise."
            )
        proceed = hasattr(self, "net_")
        X = self._check_X(X, reset=not proceed)
        if not proceed:
            self._targets = targets
            self._start()
        encoded = self._targets.encode(X, y)
        inputs["sample_weight"] = self._weights(encoded, sample_weight)
        return self._train(
            self._dataset(X, encoded, inputs), counts={}, criterion=criterion, proceed=proceed
        )

    def _start(self) -> None:
        """Draw what goes on from fit to fit: the stream of seeds, and the rows held out."""
        self._rng = check_random_state(self.random_state)
        self._split_seed = int(self._rng.randint(MAX_SEED))

    def _weights(
        self, targets: NDArray[Any], sample_weight: ArrayLike | None
    ) -> NDArray[np.float64] | None:
        return self._targets.row_weights(targets, sample_weight)

    def _dataset(
        self,
        X: Any,
        targets: NDArray[Any],
        inputs: Mapping[str, NDArray[Any] | None],
        rows: NDArray[np.intp] | slice = slice(None),
    ) -> _ArrayDataset:
        """Return some of the rows as what a net iterates over."""
        chosen = {name: None if values is None else values[rows] for name, values in inputs.items()}
        if isinstance(X, Source):
            return _StoredDataset(X[rows], targets[rows], n_workers=self.n_workers, **chosen)
        return _ArrayDataset(X[rows], targets[rows], **chosen)

    def _network(self) -> nn.Module:
        """Return a new network for samples of ``input_shape_``."""
        return build_module(self.backbone, self.input_shape_, self._targets.n_outputs)

    def _criterion(
        self, counts: Mapping[str, Any], criterion: Callable[[nn.Module], nn.Module] | None
    ) -> nn.Module:
        """Return a new loss, or what `criterion` makes of it."""
        name = DEFAULT_LOSSES[self._targets.nonlinearity] if self.loss is None else self.loss
        loss = build_loss(name, self.loss_params, counts)
        return loss if criterion is None else criterion(loss)

    def _make_net(
        self,
        device: torch.device,
        counts: Mapping[str, Any],
        criterion: Callable[[nn.Module], nn.Module] | None,
    ) -> _Net:
        kind = self._targets
        net = kind.net_class(
            n_outputs=kind.n_outputs,
            module=self._network,
            criterion=partial(self._criterion, counts, criterion),
            predict_nonlinearity=NONLINEARITIES[kind.nonlinearity],
            optimizer=OPTIMIZERS.get(self.optimizer, self.optimizer),
            optimizer__weight_decay=self.weight_decay,
            lr=self.lr,
            batch_size=self.batch_size,
            iterator_train=_SlicedBatches,
            iterator_train__shuffle=True,
            iterator_valid=_SlicedBatches,
            train_split=None,
            device=str(device),
            amp=self.amp,
            verbose=0,
        ).initialize()
        named = getattr(net.criterion_, "predict_nonlinearity", kind.nonlinearity)
        if named != kind.nonlinearity:
            raise ValueError(
                f"loss={self.loss!r} turns logits into probabilities by {named}, and "
                f"{type(self).__name__} by {kind.nonlinearity}: choose another loss."
            )
        return net

    def _train(
        self,
        train: _ArrayDataset,
        valid: _ArrayDataset | None = None,
        *,
        counts: Mapping[str, Any],
        max_epochs: int = 1,
        criterion: Callable[[nn.Module], nn.Module] | None = None,
        proceed: bool,
    ) -> Self:
        """Train ``net_``, a new one unless training proceeds, and set ``history_``.

        A net that proceeds keeps its network, loss and state of the optimizer; all else is read
        from the parameters again.
        """
        device = torch.device(self.net_.device) if proceed else resolve_device(self.device)
        check_amp(self.amp, device)
        seed = int(self._rng.randint(MAX_SEED))
        with torch_threads(self.n_threads), seeded(seed, device):
            if not proceed:
                self.net_ = self._make_net(device, counts, criterion)
            net = self.net_
            if net.lr != self.lr:
                net.set_params(lr=self.lr)
            net.n_epochs, net.batch_size = len(net.history) + max_epochs, self.batch_size
            net.verbose = int(self.verbose)
            net.callbacks = copy.deepcopy(list(self.callbacks or []))
            if valid is not None:
                stop = EarlyStopping(patience=self.patience, threshold=0, load_best=True)
                net.callbacks.insert(0, ("early_stopping", stop))
            net.initialize_callbacks()
            # Kept for the fit only: a pickled estimator holds no data.
            net.train_split = None if valid is None else predefined_split(valid)
            train.seed = seed
            try:
                net.partial_fit(train)
            finally:
                net.train_split = None
                train.close()
                if valid is not None:
                    valid.close()
        if "train_loss" not in net.history[-1]:
            warnings.warn(
                f"Training was interrupted in epoch {len(net.history)}: "
                f"{type(self).__name__} keeps the weights it had then.",
                stacklevel=4,
            )
        self.history_ = pd.DataFrame(
            [
                {k: v for k, v in row.items() if k != "batches" and not k.endswith("_batch_count")}
                for row in net.history
            ]
        )
        return self

    def _logits(self, X: ArrayLike, **inputs: NDArray[Any] | None) -> Tensor:
        """Return raw scores of shape (n_samples, n_outputs), on the CPU."""
        check_is_fitted(self, "net_")
        X = self._check_X(X, reset=False)
        with (
            torch_threads(self.n_threads),
            closing(self._dataset(X, np.zeros(len(X)), inputs)) as dataset,
        ):
            return self.net_.forward(dataset)
