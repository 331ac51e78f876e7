"""Classifier of clips: a network over the frames of each, up to where it ends."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback
from torch import Tensor, nn

from skrecall.nn import BackboneWithHead
from skrecall.utils._sklearn import Interval, StrOptions, _fit_context

from ._base import BaseNetEstimator
from ._building import argument_names
from ._clips import (
    check_lengths,
    clear_padding,
    clip_shape_of,
    is_bare_clip,
    is_list_of_clips,
    pad_clips,
)
from ._data import _ArrayDataset
from ._label_targets import LabelTargets
from ._targets import CLASS_WEIGHT_SCHEMES, ClassTargets


def takes_lengths(module: nn.Module) -> bool:
    """Return whether a network is told where the clips of a batch end.

    Parameters
    ----------
    module : torch.nn.Module
        A network over clips.

    Returns
    -------
    takes_lengths : bool
        Whether its `forward`, or that of the backbone below its head, has an argument ``lengths``.
    """
    if isinstance(module, BackboneWithHead):
        module = module.backbone
    return "lengths" in argument_names(module)


def has_several_labels(y: Any) -> bool:
    """Return whether a target is an indicator of labels rather than one label per sample.

    Parameters
    ----------
    y : array-like or sparse
        Any target.

    Returns
    -------
    several : bool
        True for sparse targets and for those of two columns or more.
    """
    if issparse(y):
        return True
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    return len(shape) == 2 and shape[1] > 1


class ImageSequenceClassifier(ClassifierMixin, BaseNetEstimator):
    """Neural network classifier of clips, each as long as it is; or of tables.

    A CNN looks at every frame, a recurrent network goes over what it saw and stops where the clip
    ends. Labels are one class per clip, or an indicator of several. Otherwise as `CNNClassifier`.

    Parameters
    ----------
    backbone : torch.nn.Module or callable, default=None
        The network from a batch of clips to logits, one per class or label; with a `head`, to
        features. A module is copied for every fit, weights included, and never trained itself. A
        callable, such as a class or a ``functools.partial`` of one, is called as
        ``backbone(input_shape, n_outputs)``. None is `skrecall.nn.RecurrentCNN` for clips and
        `skrecall.nn.MultilayerPerceptron` for tables. Clips of different lengths need a network
        whose `forward` has an argument ``lengths``.
    head : str, torch.nn.Module or callable, default=None
        From the features of the backbone to logits: a key of ``skrecall.nn.HEADS``, a module, or
        what is called as ``head(n_features, n_outputs)``. None leaves the logits to the backbone.
    head_params : dict, default=None
        Further arguments of the head, such as ``{"pooling": "max"}``.
    clip_shape : tuple of int, default=None
        ``(n_frames, n_channels, height, width)`` that flat rows are read as. With None a 2-D `X` is
        a table; 4-D and 5-D arrays are clips in any case, of any number of frames.
    loss : str, dict of str to float, or torch.nn.Module, default=None
        A name of ``skrecall.nn.LOSSES``, several and their weights, or a module called with logits
        and targets. None is ``"cross_entropy"`` for one label per clip and
        ``"binary_cross_entropy"`` for several.
    loss_params : dict, default=None
        Arguments of a loss given by name, such as ``{"gamma": 1.0}``.
    class_weight : dict or {"balanced", "sqrt", "effective"}, default=None
        Weights of the classes of clips that have one, by label or by their counts. They multiply
        the sample weights.
    reweight_from : float in [0, 1], default=None
        Share of the epochs after which `class_weight` acts. None weighs from the beginning.
    sampler : str or callable, default=None
        Batches in which rare classes or labels come more often: a key of
        ``skrecall.nn.BATCH_SAMPLERS``, or what is called as ``sampler(targets,
        batch_size=batch_size)`` and gives the row numbers of every batch. None shuffles the clips.
    sampler_params : dict, default=None
        Further arguments of the sampler, such as ``{"power": 1.0}``.
    augmentation : str, callable or list of these, default=None
        What training batches go through on the device, uint8 scaled: keys of
        ``skrecall.nn.AUGMENTATIONS``, such as ``"flip"``, which draw once per clip, so that its
        frames stay together, or callables of a batch. What mixes two clips keeps the length of the
        first.
    max_epochs : int, default=20
        Passes over the training clips.
    lr : float, default=0.001
        Learning rate.
    batch_size : int, default=64
        Clips in a batch.
    weight_decay : float, default=0.0001
        Decay of the weights, as the optimizer understands it.
    optimizer : {"adam", "adamw", "sgd"} or callable, default="adamw"
        "sgd" has Nesterov momentum 0.9. A callable, such as a class of ``torch.optim`` or a
        ``functools.partial`` of one, is called with parameters, ``lr`` and ``weight_decay``.
    lr_schedule : {"cosine", "one_cycle"} or callable, default=None
        How the learning rate changes from step to step; a callable is called as
        ``lr_schedule(optimizer, n_steps)`` and returns a scheduler of torch's.
    gradient_clipping : float, default=None
        Largest norm of the gradient of a step; a longer one is shortened to it.
    ema_decay : float in (0, 1), default=None
        Decay of a moving average of the weights, which takes their place in validation and in the
        fitted net.
    freeze : str or list of str, default=None
        Parameters that keep their values: ``"backbone"`` for all but the head, or names with
        wildcards, such as ``"frame_backbone.*"``, which with a `head` may also begin with
        ``"backbone."``.
    backbone_lr : float, default=None
        Learning rate of all parameters but the head's. None is `lr`.
    early_stopping : bool, default=False
        Hold out clips, stratified by label, stop once they are not predicted better for `patience`
        epochs, and restore the weights of the best epoch.
    scoring : str or callable, default=None
        What `early_stopping` looks at, greater being better: a name of
        ``skrecall.metrics.get_scorer_names``, or a scorer. Between equal scores the loss decides.
        None looks at the loss.
    validation_fraction : float, default=0.1
        Share of clips held out by `early_stopping`.
    patience : int, default=5
        Epochs without improvement before `early_stopping` stops.
    checkpoint_dir : str or path, default=None
        Directory for one file per fit, written after every epoch: the same `fit`, called again
        after a kill, goes on from there, as in `CNNClassifier`; with other parameters,
        `max_epochs` included, it is another fit and begins anew. Needs an int `random_state`.
    test_time_views : "flip" or list of callables, default=None
        Predict from the mean of the logits of a clip and of these views of it. "flip" mirrors
        frames left to right; a callable gets a batch as the network sees it, uint8 scaled.
    compile : bool, default=False
        Compile the network by ``torch.compile``: a minute of work before the first step.
    device : str or torch.device, default="auto"
        "auto" is CUDA where there is one, else Apple's MPS, else the CPU.
    amp : {"bfloat16", "float16"}, default=None
        Precision of the forward pass on CUDA; None is float32 throughout.
    callbacks : list of skorch callbacks, default=None
        Copied for every fit.
    warm_start : bool, default=False
        Whether `fit` goes on training the network it has, `max_epochs` more.
    n_workers : int, default=0
        Processes that read the items of a Dataset ahead. What is in memory needs none.
    n_threads : int, default=None
        Threads that torch uses in `fit` and `predict`; its own count is put back afterwards. None
        leaves torch's count, but is 1 in the worker processes of a parallel search.
    verbose : int, default=0
        1 prints a table with one line per epoch; 2 shows the progress within an epoch as well.
    random_state : int, RandomState instance or None, default=None
        Seeds initial weights, order of batches, dropout and the held-out rows. Torch's own
        generators are left as they were.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch network.
    classes_ : ndarray of shape (n_classes,) or (n_labels, 2)
        Labels, sorted; of an indicator, ``[0, 1]`` per label.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y` of several labels.
    constant_ : ndarray of shape (n_labels,)
        Of several labels, the value of one that has one in the training rows, or NaN.
    prior_factor_ : ndarray of shape (n_classes,) or None
        How training shifted the frequencies of the classes, as in `CNNClassifier`. None where that
        is not known, and for several labels.
    history_ : DataFrame
        One row per epoch: losses, seconds, and what the callbacks recorded.
    input_shape_ : tuple of int
        Shape of a sample: ``(n_frames, n_channels, height, width)`` of the longest clip, or
        ``(n_features,)``.
    input_dtype_ : numpy.dtype
        uint8 if the fit saw uint8 clips, which are scaled, else float32.
    n_features_in_ : int
        Number of features; for clips, of values in the longest.
    feature_names_in_ : ndarray of str
        Names of the columns, if `X` was a DataFrame with string columns.

    See Also
    --------
    skrecall.nn.RecurrentCNN : The network, to be set up by ``functools.partial``.

    Notes
    -----
    Clips of different lengths are a list, or an array of objects, with one array per clip: that is
    what a search can split. An array that is padded already comes with ``lengths``, in every call:
    without them, padding counts as frames. With metadata routing, ``set_fit_request(lengths=True)``
    takes them through a search, and ``set_score_request(lengths=True)`` to its scores.

    A torch Dataset whose items are clips of one length is an `X` too, and is read batch by batch.
    Otherwise clips are padded to the longest of a call, in memory. Padding is 0 whatever it held,
    and `RecurrentCNN` neither computes nor sees it: a clip gives the same among longer ones as
    alone.

    uint8 clips are scaled by 1/255, batch by batch; all other numbers are taken as they are. After
    a fit on uint8 clips only uint8 clips are taken, and after any other fit on clips none.

    Examples
    --------
    >>> from skrecall.datasets import make_moving_digits
    >>> from skrecall.neural_network import ImageSequenceClassifier
    >>> data = make_moving_digits(60, prevalence=0.5, random_state=0)
    >>> clips = [clip[:length] for clip, length in zip(data.clips, data.lengths)]
    >>> clf = ImageSequenceClassifier(max_epochs=2, random_state=0).fit(clips, data.target)
    >>> clf.predict_proba(clips[:3]).shape
    (3, 2)
    """

    _samples = "clips"
    _targets: Any

    _parameter_constraints: dict = {
        **BaseNetEstimator._parameter_constraints,
        "clip_shape": [tuple, list, None],
        "loss": [*BaseNetEstimator._parameter_constraints["loss"], None],
        "class_weight": [dict, StrOptions({"balanced", *CLASS_WEIGHT_SCHEMES}), None],
        "reweight_from": [Interval(Real, 0, 1, closed="both"), None],
    }
    _parameter_constraints.pop("image_shape")

    def __init__(
        self,
        backbone: nn.Module | Callable[..., nn.Module] | None = None,
        *,
        head: str | nn.Module | Callable[..., nn.Module] | None = None,
        head_params: dict[str, Any] | None = None,
        clip_shape: Sequence[int] | None = None,
        loss: str | nn.Module | dict[str, float] | None = None,
        loss_params: dict[str, Any] | None = None,
        class_weight: dict[Any, float] | str | None = None,
        reweight_from: float | None = None,
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
        amp: Literal["bfloat16", "float16"] | None = None,
        callbacks: list[Callback] | None = None,
        warm_start: bool = False,
        n_workers: int = 0,
        n_threads: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(
            backbone,
            head=head,
            head_params=head_params,
            loss=loss,
            loss_params=loss_params,
            sampler=sampler,
            sampler_params=sampler_params,
            augmentation=augmentation,
            max_epochs=max_epochs,
            lr=lr,
            batch_size=batch_size,
            weight_decay=weight_decay,
            optimizer=optimizer,
            lr_schedule=lr_schedule,
            gradient_clipping=gradient_clipping,
            ema_decay=ema_decay,
            freeze=freeze,
            backbone_lr=backbone_lr,
            early_stopping=early_stopping,
            scoring=scoring,
            validation_fraction=validation_fraction,
            patience=patience,
            checkpoint_dir=checkpoint_dir,
            test_time_views=test_time_views,
            compile=compile,
            device=device,
            amp=amp,
            callbacks=callbacks,
            warm_start=warm_start,
            n_workers=n_workers,
            n_threads=n_threads,
            verbose=verbose,
            random_state=random_state,
        )
        self.clip_shape = clip_shape
        self.class_weight = class_weight
        self.reweight_from = reweight_from

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        lengths: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, t, c, h, w), (n, t, h, w) or (n, n_features), or list of clips
            Clips, flat rows of clips of `clip_shape`, or a table.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels of two classes or more; or an indicator, -1 or NaN where a label is unknown.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all rows alike.
        lengths : array-like of shape (n_samples,), default=None
            Number of frames of each clip of an array; None takes all.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input has a wrong shape, channels last, values that are not finite or one class;
            if lengths are none of such clips, or the network does not take them; if network and
            loss do not fit to the input; or if training diverges.
        """
        return self._fit(X, y, sample_weight, lengths=lengths)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        lengths: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on a chunk of data, going on from where training stands.

        Parameters
        ----------
        X : array-like of shape (n, t, c, h, w), (n, t, h, w) or (n, n_features), or list of clips
            Clips, flat rows of clips of `clip_shape`, or a table.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels; a chunk may lack classes.
        classes : array-like of shape (n_classes,), default=None
            All labels there will be; needed in the first call, unless `y` is an indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, taken as given.
        lengths : array-like of shape (n_samples,), default=None
            Number of frames of each clip of an array; None takes all.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the first call names no classes, a parameter needs all data at once, or one chunk of
            clips is uint8 and another is not.
        """
        proceed = hasattr(self, "net_")
        X, lengths = self._clips(X, lengths, proceed=proceed)
        if not proceed:
            kind = self._kind_of_chunk(y, classes)
        elif isinstance(self._targets, ClassTargets):
            kind = ClassTargets.of_chunk(self, classes)
        else:
            kind = self._targets
        return self._partial_fit(X, y, sample_weight, kind=kind, lengths=lengths)

    def _kind_of_chunk(
        self, y: ArrayLike, classes: ArrayLike | None
    ) -> ClassTargets | LabelTargets:
        """Return the kind of target of a first chunk, and set what describes it."""
        if has_several_labels(y):
            kind = LabelTargets.of_chunk(y)
            kind.describe(self)
            return kind
        return ClassTargets.of_chunk(self, classes)

    def _fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        kind: Any = None,
        wrap_loss: Callable[[nn.Module], nn.Module] | None = None,
        unlabeled: Any = None,
        **inputs: Any,
    ) -> Self:
        lengths = inputs.pop("lengths", None)
        proceed = self.warm_start and hasattr(self, "net_")
        n_labelled = None
        if unlabeled is not None and (is_list_of_clips(X) or getattr(X, "ndim", 2) > 3):
            n_labelled = len(X)
            X = [*X, *unlabeled]  # so that all are padded to one length
        X, lengths = self._clips(X, lengths, proceed=proceed)
        if n_labelled is not None:
            X, unlabeled = X[:n_labelled], X[n_labelled:]
        return super()._fit(
            X,
            y,
            sample_weight,
            kind=kind,
            wrap_loss=wrap_loss,
            unlabeled=unlabeled,
            lengths=lengths,
            **inputs,
        )

    def _clips(
        self, X: Any, lengths: ArrayLike | None, *, proceed: bool
    ) -> tuple[Any, NDArray[np.int64] | None]:
        """Return clips as one array, and their lengths where they differ; a table as it is."""
        if is_list_of_clips(X):
            if lengths is not None:
                raise ValueError(
                    "X holds one array per clip, which has its length already: leave lengths out."
                )
            X, lengths = pad_clips(X)
        elif proceed and is_bare_clip(getattr(X, "shape", ()), self.input_shape_):
            raise ValueError(
                f"X has shape {tuple(X.shape)}, which may be one clip or {len(X)} clips without an "
                f"axis for channels, and the fit saw clips of shape {self.input_shape_}: pass "
                "clip[None] for one clip, or X[:, :, None] for clips of grey frames."
            )
        elif lengths is not None:
            stated = self._fitted_image_shape() if proceed else self._image_shape()
            shape = clip_shape_of(np.shape(X), stated)
            if len(shape) == 1:
                raise ValueError(
                    f"lengths are the frames of clips, and X is a table of {shape[0]} features: "
                    "leave lengths out, or state clip_shape."
                )
            X = np.asarray(X).reshape(-1, *shape)
            lengths = check_lengths(lengths, n_samples=len(X), n_frames=shape[0])
            X = X if lengths is None else clear_padding(X, lengths)
        self._padded = lengths is not None
        if self._padded and proceed:
            self._check_takes_lengths(self.net_.module_)
        return X, lengths

    def _network(self, **head_params: Any) -> nn.Module:
        module = super()._network(**head_params)
        if self._padded:
            self._check_takes_lengths(module)
        return module

    @staticmethod
    def _check_takes_lengths(module: nn.Module) -> None:
        if not takes_lengths(module):
            raise ValueError(
                f"The clips have different lengths, and {type(module).__name__} does not ask where "
                "they end: give its forward an argument `lengths`, as skrecall.nn.RecurrentCNN "
                "has, or cut the clips to one length."
            )

    def _image_shape(self) -> tuple[int, ...] | None:
        if self.clip_shape is None:
            return None
        shape = tuple(self.clip_shape)
        if len(shape) != 4 or not all(isinstance(n, Integral) and int(n) > 0 for n in shape):
            raise ValueError(
                f"clip_shape={self.clip_shape!r} must be four positive integers, "
                "(n_frames, n_channels, height, width)."
            )
        return shape

    def _fitted_image_shape(self) -> tuple[int, ...] | None:
        return self.input_shape_ if len(self.input_shape_) == 4 else None

    def _sample_shape(
        self, X_shape: tuple[int, ...], stated: tuple[int, ...] | None
    ) -> tuple[int, ...]:
        return clip_shape_of(X_shape, stated)

    def _check_width(self, X: NDArray[Any], *, reset: bool) -> None:
        if reset:  # later clips may have more or fewer frames
            super()._check_width(X, reset=True)

    def _learn_targets(self, X: NDArray[Any], y: ArrayLike) -> ClassTargets | LabelTargets:
        if has_several_labels(y):
            targets = LabelTargets.learn(X, y)
            targets.describe(self)
            return targets
        for name in ("constant_", "label_names_"):
            if hasattr(self, name):
                delattr(self, name)
        classes = ClassTargets.learn(X, y)
        self.classes_ = classes.classes
        return classes

    def _clip_logits(self, X: ArrayLike, lengths: ArrayLike | None) -> Tensor:
        check_is_fitted(self, "net_")
        if isinstance(X, _ArrayDataset):  # rows held out, in the course of a fit
            return self._logits(X)
        X, lengths = self._clips(X, lengths, proceed=True)
        return self._logits(X, lengths=lengths)

    def decision_function(
        self, X: ArrayLike, lengths: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return raw scores: the log-odds of the second of two classes or of each label, or logits.

        Parameters
        ----------
        X : array-like of shape (n, t, c, h, w), (n, t, h, w) or (n, n_features), or list of clips
            The samples.
        lengths : array-like of shape (n_samples,), default=None
            Number of frames of each clip of an array; None takes all.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
            The scores.
        """
        logits = self._clip_logits(X, lengths)
        return self._targets.scores(logits)

    def predict_proba(self, X: ArrayLike, lengths: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the probabilities of the classes, or of each label.

        Parameters
        ----------
        X : array-like of shape (n, t, c, h, w), (n, t, h, w) or (n, n_features), or list of clips
            The samples.
        lengths : array-like of shape (n_samples,), default=None
            Number of frames of each clip of an array; None takes all.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Columns in the order of ``classes_``; of labels, P(label = 1).
        """
        logits = self._clip_logits(X, lengths)
        return self._targets.proba(logits)

    def predict(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Any:
        """Return the likeliest label, or the labels of probability one half or more.

        Parameters
        ----------
        X : array-like of shape (n, t, c, h, w), (n, t, h, w) or (n, n_features), or list of clips
            The samples.
        lengths : array-like of shape (n_samples,), default=None
            Number of frames of each clip of an array; None takes all.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,), or indicator of shape (n_samples, n_labels)
            Labels; an indicator in the container that `fit` was given.
        """
        logits = self._clip_logits(X, lengths)
        if isinstance(self._targets, LabelTargets):
            return self._targets.decode(logits, X)
        return self._targets.decode(logits)

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        lengths: ArrayLike | None = None,
    ) -> float:
        """Return the share of clips whose class, or whose known labels, are predicted.

        Parameters
        ----------
        X : array-like of shape (n, t, c, h, w), (n, t, h, w) or (n, n_features), or list of clips
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.
        lengths : array-like of shape (n_samples,), default=None
            Number of frames of each clip of an array; None takes all.

        Returns
        -------
        accuracy : float
            Of several labels all known ones count at once; clips without one are left out.
        """
        proba = self.predict_proba(X, lengths)
        if isinstance(self._targets, LabelTargets):
            return self._targets.accuracy(proba, y, sample_weight)
        predicted = self.classes_[proba.argmax(axis=1)]
        return accuracy_score(y, predicted, sample_weight=sample_weight)
