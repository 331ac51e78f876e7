"""Image and table classifier over a torch network."""

from collections.abc import Callable, Sequence
from numbers import Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from skorch.callbacks import Callback
from torch import Tensor, nn

from skrecall.utils._sklearn import Interval, StrOptions, _fit_context

from ._base import BaseNetEstimator
from ._targets import CLASS_WEIGHT_SCHEMES, ClassTargets


class CNNClassifier(ClassifierMixin, BaseNetEstimator):
    """Neural network classifier of images, or of tables, with the losses that rare classes need.

    A plain scikit-learn estimator: it checks its input, encodes any labels, and keeps the skorch
    net that it trained as ``net_``. It clones, pickles, and works inside pipelines and searches;
    with `random_state` and `n_threads` given, scores do not depend on `n_jobs`.

    Parameters
    ----------
    backbone : torch.nn.Module or callable, default=None
        The network from a batch to logits, one per class. A module is copied for every fit, weights
        included, and never trained itself. A callable, such as a class or a ``functools.partial``
        of one, is called as ``backbone(input_shape, n_classes)``. None is `skrecall.nn.SmallCNN`
        for images and `skrecall.nn.MultilayerPerceptron` for tables.
    head : {"linear", "cosine"}, torch.nn.Module or callable, default=None
        What makes logits of the backbone's features, by a key of ``skrecall.nn.HEADS``, a module,
        or what is called as ``head(n_features, n_classes)``. The backbone then is called with None
        for the number of classes, and gives features by its ``forward_features``, if it has one.
        "cosine" gives plain cosines to a loss that takes them, such as LDAM. None leaves the logits
        to the backbone.
    head_params : dict, default=None
        Further arguments of the head, such as ``{"pooling": "max"}``.
    image_shape : tuple of int, default=None
        ``(n_channels, height, width)`` that flat rows and image files are read as. With None a 2-D
        `X` is a table; 3-D and 4-D arrays are images in any case, and 4-D arrays of plainly
        channels-last images are refused unless their shape is stated here.
    loss : str, dict or torch.nn.Module, default="cross_entropy"
        A name of ``skrecall.nn.LOSSES``, such as ``"focal"``; several and their weights, for their
        weighted sum; or a module called with logits (n, n_classes) and class numbers (n,). A name
        gets the class counts of the training rows if it takes them. A module that takes
        ``sample_weight``, as a `skrecall.nn.Loss` does, averages over the batch itself; in another
        a `reduction` becomes ``"none"``, and rows are weighted and averaged here.
    loss_params : dict, default=None
        Arguments of a loss given by name, such as ``{"gamma": 1.0}``.
    class_weight : dict or {"balanced", "sqrt", "effective"}, default=None
        Weights of the classes by label, or by their counts: inverse, inverse square root, or
        inverse effective number (`skrecall.nn.class_weights`). They multiply the sample weights.
    reweight_from : float in [0, 1], default=None
        Share of the epochs after which `class_weight` acts: features are learnt from all rows
        alike first. None weighs from the beginning. Rows held out have all weights throughout.
    sampler : {"balanced", "inverse_frequency"} or callable, default=None
        Batches in which rare classes come more often: a key of ``skrecall.nn.BATCH_SAMPLERS``, or
        what is called as ``sampler(class_numbers, batch_size=batch_size)`` and gives the row
        numbers of every batch. None shuffles the rows.
    sampler_params : dict, default=None
        Further arguments of the sampler, such as ``{"power": 1.0}``.
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
        Hold out rows, stratified by class, stop once they are not predicted better for `patience`
        epochs, and restore the weights of the best epoch.
    scoring : str or callable, default=None
        What `early_stopping` looks at, greater being better: a name of
        ``skrecall.metrics.get_scorer_names``, or a scorer, called with this estimator, the rows
        held out in a form for its `predict`, and their labels. Between equal scores the loss
        decides. None looks at the loss.
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
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    prior_factor_ : ndarray of shape (n_classes,) or None
        What class weights, sampler and loss multiplied the frequencies of the classes by, scaled to
        a mean of 1, for `PriorCorrectedClassifier` to undo: the probabilities are those of rows
        drawn so. None where that is not known: after `partial_fit`, with `reweight_from`, a sampler
        of one's own, or another loss than cross entropy and logit adjustment.
    history_ : DataFrame
        One row per epoch: losses, seconds, and what the callbacks recorded.
    input_shape_ : tuple of int
        Shape of a sample: ``(n_channels, height, width)`` or ``(n_features,)``.
    input_dtype_ : numpy.dtype
        uint8 if the fit saw uint8 images, which are scaled, else float32.
    n_features_in_ : int
        Number of features; for images, of values in one.
    feature_names_in_ : ndarray of str
        Names of the columns, if `X` was a DataFrame with string columns.

    Notes
    -----
    uint8 images are scaled by 1/255, batch by batch; all other numbers are taken as they are, so
    scale floats yourself, for example with a StandardScaler before a table. After a fit on uint8
    images only uint8 images are taken, and after any other fit on images none:
    ``X.astype(np.float32) / 255`` equals the scaling of uint8.

    Samples that do not fit in memory are read when a batch needs them, and the net is the one that
    the array of them would give. A DataFrame with one column of paths is a folder of image files,
    any that Pillow opens: they are turned upright, read as 1, 2, 3 or 4 channels (grey, grey and
    alpha, RGB, RGB and alpha) and resized with antialiasing to `image_shape`, as uint8. A torch
    Dataset gives samples, or tuples that begin with one, all of one shape; `y` is passed beside it,
    and what it draws is seeded. Scikit-learn's splitters would read all items of a Dataset: wrap it
    in ``skorch.helper.SliceDataset`` for a search or cross-validation. After a fit, files, Datasets
    and arrays may take each other's place; ``n_features_in_`` counts the values of an image.

    `partial_fit` refuses what looks at all rows or epochs: `early_stopping`, `lr_schedule`,
    `checkpoint_dir`, `reweight_from` and a `class_weight` by counts.

    In `fit` the product of class and sample weights is divided by its mean, so that `lr` keeps its
    meaning; `partial_fit` takes it as given, so that chunks keep their weight against each other.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skrecall.neural_network import CNNClassifier
    >>> images, y = load_digits(return_X_y=True)
    >>> images = images.reshape(-1, 1, 8, 8) / 16
    >>> clf = CNNClassifier(max_epochs=5, random_state=0).fit(images[::2], y[::2])
    >>> bool(clf.score(images[1::2], y[1::2]) > 0.85)
    True
    """

    _parameter_constraints: dict = {
        **BaseNetEstimator._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced", *CLASS_WEIGHT_SCHEMES}), None],
        "reweight_from": [Interval(Real, 0, 1, closed="both"), None],
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
        self.class_weight = class_weight
        self.reweight_from = reweight_from

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            Images, flat rows of images of `image_shape`, or a table; a torch Dataset of them, or a
            DataFrame of paths of image files.
        y : array-like of shape (n_samples,)
            Labels of two classes or more.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all rows alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input has a wrong shape, channels last, values that are not finite or one class;
            if network and loss do not fit to it; if training goes on with uint8 images after others
            or the other way round; or if training diverges.
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
        y : array-like of shape (n_samples,)
            Labels; a chunk may lack classes.
        classes : array-like of shape (n_classes,), default=None
            All labels there will be; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, taken as given.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the first call names no classes, a parameter needs all data at once, or one chunk of
            images is uint8 and another is not.
        """
        return self._partial_fit(X, y, sample_weight, kind=ClassTargets.of_chunk(self, classes))

    def _learn_targets(self, X: NDArray[Any], y: ArrayLike) -> ClassTargets:
        targets = ClassTargets.learn(X, y)
        self.classes_ = targets.classes
        return targets

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return raw scores: the log-odds of the second of two classes, or a logit per class.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            The samples.

        Returns
        -------
        y_score : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The scores.
        """
        logits = self._logits(X)
        return self._targets.scores(logits)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            The samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        logits = self._logits(X)
        return self._targets.proba(logits)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likeliest label.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            The samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels.
        """
        logits = self._logits(X)
        return self._targets.decode(logits)
