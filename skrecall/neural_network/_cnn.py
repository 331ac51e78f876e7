"""Image and table classifier over a torch network."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from skorch.callbacks import Callback
from torch import nn

from skrecall.utils._sklearn import StrOptions, _check_partial_fit_first_call, _fit_context

from ._base import BaseNetEstimator
from ._targets import ClassTargets


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
    image_shape : tuple of int, default=None
        ``(n_channels, height, width)`` that flat rows are read as. With None a 2-D `X` is a table;
        3-D and 4-D arrays are images in any case, and 4-D arrays of plainly channels-last images
        are refused unless their shape is stated here.
    loss : str or torch.nn.Module, default="cross_entropy"
        ``"cross_entropy"``, ``"focal"`` or another name of ``skrecall.nn.LOSSES``, or a module
        called with logits (n, n_classes) and class numbers (n,). Where it has a `reduction`, that
        becomes ``"none"``: rows are weighted and averaged here.
    loss_params : dict, default=None
        Arguments of a loss given by name, such as ``{"gamma": 1.0}``.
    class_weight : dict or "balanced", default=None
        Weights of the classes by label; "balanced" weighs by inverse frequency. They multiply the
        sample weights.
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
    early_stopping : bool, default=False
        Hold out rows, stratified by class, stop once their loss has not fallen for `patience`
        epochs, and restore the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of rows held out by `early_stopping`.
    patience : int, default=5
        Epochs without improvement before `early_stopping` stops.
    device : str or torch.device, default="auto"
        "auto" is CUDA where there is one, else Apple's MPS, else the CPU.
    amp : {"bfloat16", "float16"}, default=None
        Precision of the forward pass on CUDA; None is float32 throughout.
    callbacks : list of skorch callbacks, default=None
        Copied for every fit.
    warm_start : bool, default=False
        Whether `fit` goes on training the network it has, `max_epochs` more.
    n_threads : int, default=None
        Threads that torch uses in `fit` and `predict`; its own count is put back afterwards. None
        leaves torch's count, but is 1 in the worker processes of a parallel search.
    verbose : int, default=0
        Print a table with one line per epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds initial weights, order of batches, dropout and the held-out rows. Torch's own
        generators are left as they were.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch network.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
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
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        backbone: nn.Module | Callable[..., nn.Module] | None = None,
        *,
        image_shape: Sequence[int] | None = None,
        loss: str | nn.Module = "cross_entropy",
        loss_params: dict[str, Any] | None = None,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        max_epochs: int = 20,
        lr: float = 0.001,
        batch_size: int = 64,
        weight_decay: float = 0.0001,
        optimizer: str | Callable[..., torch.optim.Optimizer] = "adamw",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        device: str | torch.device = "auto",
        amp: Literal["bfloat16", "float16"] | None = None,
        callbacks: list[Callback] | None = None,
        warm_start: bool = False,
        n_threads: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.backbone = backbone
        self.image_shape = image_shape
        self.loss = loss
        self.loss_params = loss_params
        self.class_weight = class_weight
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.optimizer = optimizer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.device = device
        self.amp = amp
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.n_threads = n_threads
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, c, h, w), (n, h, w) or (n, n_features), or list of images
            Images, flat rows of images of `image_shape`, or a table.
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
            Images, flat rows of images of `image_shape`, or a table.
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
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all data at once, and partial_fit sees "
                "a chunk: call fit, or pass a dict."
            )
        _check_partial_fit_first_call(self, classes)
        if len(self.classes_) < 2:
            raise ValueError(
                f"classes holds one class only, {self.classes_.tolist()}: name all there will be."
            )
        return self._partial_fit(X, y, sample_weight, targets=ClassTargets(self.classes_))

    def _learn_targets(self, X: NDArray[Any], y: ArrayLike) -> ClassTargets:
        targets = ClassTargets.learn(X, y)
        self.classes_ = targets.classes
        return targets

    def _weights(
        self, targets: NDArray[Any], sample_weight: ArrayLike | None
    ) -> NDArray[np.float64] | None:
        return self._targets.row_weights(targets, sample_weight, self.class_weight)

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
