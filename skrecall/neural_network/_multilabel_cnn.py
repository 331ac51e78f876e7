"""Multi-label classifier of images and tables over a torch network."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from skorch.callbacks import Callback
from torch import Tensor, nn

from skrecall.utils._sklearn import _fit_context

from ._base import BaseNetEstimator
from ._label_targets import LabelTargets


class MultilabelCNNClassifier(ClassifierMixin, BaseNetEstimator):
    """Neural network classifier of images, or of tables, that carry any number of labels.

    One network for all labels, as `CNNClassifier` has one for all classes. A label of a sample may
    be unknown, and is then not learnt from. Thresholds other than one half are chosen afterwards by
    `skrecall.threshold.MultilabelThresholdClassifier`.

    Parameters
    ----------
    backbone : torch.nn.Module or callable, default=None
        The network from a batch to logits, one per label; with a `head`, to features. A module is
        copied for every fit, weights included, and never trained itself. A callable, such as a
        class or a ``functools.partial`` of one, is called as ``backbone(input_shape, n_labels)``.
        None is `skrecall.nn.SmallCNN` for images and `skrecall.nn.MultilayerPerceptron` for tables.
    head : str, torch.nn.Module or callable, default=None
        From the features of the backbone to logits: "linear", "cosine", "label_graph" or
        "ml_decoder" of ``skrecall.nn.HEADS``, or called as ``head(n_features, n_labels)``. The
        graph joins labels that occur together in the training rows. None leaves the backbone's.
    head_params : dict, default=None
        Further arguments of the head, such as ``{"pooling": "max"}``.
    image_shape : tuple of int, default=None
        ``(n_channels, height, width)`` that flat rows and image files are read as. With None a 2-D
        `X` is a table; 3-D and 4-D arrays are images in any case, and 4-D arrays of plainly
        channels-last images are refused unless their shape is stated here.
    loss : str, dict of str to float, or torch.nn.Module, default="binary_cross_entropy"
        ``"binary_cross_entropy"``, ``"asymmetric"`` or another name of ``skrecall.nn.LOSSES`` that
        reads logits by a sigmoid; several and their weights; or a module called with logits and
        indicator, both (n, n_labels). Losses that count the positives of labels do so in the known
        labels of the training rows.
    loss_params : dict, default=None
        Arguments of a loss given by name, such as ``{"pos_weight": "sqrt"}``.
    sampler : {"repeat_factor"} or callable, default=None
        Batches in which rows with rare labels come more often: a key of
        ``skrecall.nn.BATCH_SAMPLERS``, or what is called as
        ``sampler(indicator, batch_size=batch_size)``, NaN where a label is unknown, and gives the
        row numbers of every batch. None shuffles the rows.
    sampler_params : dict, default=None
        Further arguments of the sampler, such as ``{"threshold": 0.05}``.
    augmentation : str, callable or list of these, default=None
        What training batches go through on the device, uint8 scaled: keys of
        ``skrecall.nn.AUGMENTATIONS``, such as ``"flip"`` and ``"mixup"``, or callables of a batch.
        Transforms of ``torchvision.transforms.v2`` draw once per batch, not per sample.
    max_epochs : int, default=20
        Passes over the training rows.
    lr : float, default=0.001
        Learning rate.
    batch_size : int, default=64
        Rows in a batch.
    weight_decay : float, default=0.0001
        Decay of the weights, as the optimizer understands it.
    optimizer : {"adam", "adamw", "sgd"} or callable, default="adamw"
        "sgd" has Nesterov momentum 0.9. A callable, such as a class of ``torch.optim`` or a
        ``functools.partial`` of one, is called with parameters, ``lr`` and ``weight_decay``.
    lr_schedule : {"cosine", "one_cycle"} or callable, default=None
        How the learning rate changes from step to step: "cosine" falls from `lr` to 0, "one_cycle"
        rises to it in the first 30 % of the steps and then falls. A callable is called as
        ``lr_schedule(optimizer, n_steps)`` and returns a scheduler of torch's.
    gradient_clipping : float, default=None
        Largest norm of the gradient of a step; a longer one is shortened to it.
    ema_decay : float in (0, 1), default=None
        Decay of a moving average of the weights, which takes their place in validation and in the
        fitted net. In the first steps the decay is less, ``(1 + n) / (10 + n)`` after n of them.
    freeze : str or list of str, default=None
        Parameters that keep their values: ``"backbone"`` for all but the head, or names with
        wildcards, such as ``"stages.0.*"``, which with a `head` may also begin with
        ``"backbone."``.
    backbone_lr : float, default=None
        Learning rate of all parameters but the head's. None is `lr`.
    early_stopping : bool, default=False
        Hold out rows, stratified by label, stop once their score, or their loss, has not improved
        for `patience` epochs, and restore the weights of the best epoch.
    scoring : str or callable, default=None
        Score of the rows held out, such as ``"average_precision"``, or a name of
        `skrecall.metrics.get_scorer`, where those that end in ``_known`` skip unknown labels.
        Between equal scores the loss decides. None is the loss.
    validation_fraction : float, default=0.1
        Share of rows held out by `early_stopping`.
    patience : int, default=5
        Epochs without improvement before `early_stopping` stops.
    checkpoint_dir : str or path, default=None
        Directory for one file per fit, written after every epoch: the same `fit`, called again
        after a kill, goes on from there, and ends with the history and the weights it would have
        had. A fit that was finished is read, not run. The file is found by the parameters (but for
        `n_threads`, `n_workers` and `verbose`), the data, and the versions of this package and
        torch: with other parameters, `max_epochs` included, it is another fit and begins anew.
        Needs an int `random_state`. Delete the directory when all is done.
    test_time_views : "flip" or list of callables, default=None
        Predict from the mean of the logits of a sample and of these views of it. "flip" mirrors
        images left to right; a callable gets a batch as the network sees it, uint8 scaled.
    compile : bool, default=False
        Compile the network by ``torch.compile``: a minute of work before the first step. A copy
        from a pickle is not compiled.
    device : str or torch.device, default="auto"
        "auto" is CUDA where there is one, else Apple's MPS, else the CPU.
    amp : {"bfloat16", "float16"}, default=None
        Precision of the forward pass on CUDA; None is float32 throughout.
    callbacks : list of skorch callbacks, default=None
        Copied for every fit.
    warm_start : bool, default=False
        Whether `fit` goes on training the network it has, `max_epochs` more. An `lr_schedule`
        begins anew.
    n_workers : int, default=0
        Processes that read image files, or the items of a Dataset, ahead; 0 in the worker processes
        of a parallel search. What is in memory needs none.
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
    classes_ : ndarray of shape (n_labels, 2) or (2,)
        ``[0, 1]`` per label; the two classes of a target of one dimension.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, or NaN.
    prior_factor_ : None
        How training shifted the frequencies of the labels is not known.
    history_ : DataFrame
        One row per epoch: losses, seconds, and what the callbacks recorded.
    input_shape_ : tuple of int
        Shape of a sample: ``(n_channels, height, width)`` or ``(n_features,)``.
    input_dtype_ : numpy.dtype
        uint8 if the fit saw uint8 images, which are scaled, else float32.
    n_features_in_ : int
        Number of features; for images, of values in one.
    feature_names_in_ : ndarray of str
        Names of the columns, if `X` was a table in a DataFrame with string columns.

    See Also
    --------
    CNNClassifier : One label per sample; how images are scaled, and read from files and Datasets.
    skrecall.multilabel.BinaryRelevance : One network per label, around `CNNClassifier`.

    Notes
    -----
    A label that is NaN or -1 in `y` is unknown for that sample. Every loss of ``skrecall.nn``
    leaves unknown labels out, and so do losses of torch that can be left unreduced.

    A label that has one value in the training rows is not learnt, but predicted as that value. The
    network has a logit for it all the same, so that networks with as many outputs as there are
    labels can be used in every fold of a search.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skrecall.neural_network import MultilabelCNNClassifier
    >>> images, digit = load_digits(return_X_y=True)
    >>> images = images.reshape(-1, 1, 8, 8) / 16
    >>> Y = np.column_stack([digit % 2 == 0, digit > 4]).astype(int)
    >>> clf = MultilabelCNNClassifier(max_epochs=5, random_state=0).fit(images[::2], Y[::2])
    >>> digit[[1, 7]], clf.predict(images[[1, 7]])
    (array([1, 7]), array([[0, 0],
           [0, 1]]))
    >>> bool(clf.score(images[1::2], Y[1::2]) > 0.7)
    True
    """

    _accept_unknown = True
    _targets: LabelTargets

    def __init__(
        self,
        backbone: nn.Module | Callable[..., nn.Module] | None = None,
        *,
        head: str | nn.Module | Callable[..., nn.Module] | None = None,
        head_params: dict[str, Any] | None = None,
        image_shape: Sequence[int] | None = None,
        loss: str | nn.Module | dict[str, float] = "binary_cross_entropy",
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
            image_shape=image_shape,
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            Images, flat rows of images of `image_shape`, or a table; a torch Dataset of them, or a
            DataFrame of paths of image files.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator, NaN or -1 where a label is unknown; one dimension of two classes is one
            label.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, divided by their mean; None weighs all rows alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If `y` is no indicator; if the input has a wrong shape, channels last, or values that
            are not finite; if network and loss do not fit to it; or if training diverges.
        """
        return self._fit(X, y, sample_weight)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on a chunk of data, going on from where training stands.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            Images, flat rows of images of `image_shape`, or a table; a torch Dataset of them, or a
            DataFrame of paths of image files.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; all labels are learnt, as a later chunk may hold what this one lacks.
        classes : array-like of shape (2,), default=None
            The two classes of a target of one dimension, needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, taken as given.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter needs all data at once, or there are other labels than in the first call.
        """
        if not hasattr(self, "net_"):
            kind = LabelTargets.of_chunk(y, classes)
            kind.describe(self)
        else:
            kind = self._targets
        return self._partial_fit(X, y, sample_weight, kind=kind)

    def _learn_targets(self, X: Any, y: ArrayLike) -> LabelTargets:
        targets = LabelTargets.learn(X, y)
        targets.describe(self)
        return targets

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return raw scores: the log-odds of each label.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            The samples.

        Returns
        -------
        y_score : ndarray of shape (n_samples, n_labels) or (n_samples,)
            The scores; of a label that was constant in training the largest float32, with its sign.
            One dimension after a fit on one.
        """
        logits = self._logits(X)
        return self._targets.scores(logits)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each label.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            The samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_labels)
            P(label = 1); after a fit on a target of one dimension, that of both classes.
        """
        logits = self._logits(X)
        return self._targets.proba(logits)

    def predict(self, X: ArrayLike) -> Any:
        """Return the labels of probability one half or more.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            The samples.

        Returns
        -------
        Y_pred : ndarray, DataFrame or sparse of shape (n_samples, n_labels), or (n_samples,)
            An indicator in the container that `fit` was given.
        """
        logits = self._logits(X)
        return self._targets.decode(logits, X)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of samples whose known labels are all predicted.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            The samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator, NaN or -1 where a label is unknown; samples without a known label are left
            out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            Where all labels are known, the subset accuracy.

        Raises
        ------
        ValueError
            If no label is known.
        """
        proba = self.predict_proba(X)
        return self._targets.accuracy(proba, y, sample_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        tags.target_tags.multi_output = True
        return tags
