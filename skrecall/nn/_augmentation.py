"""Augmentation of batches of images and clips, drawn anew for every sample, on the device.

An augmentation is called with a batch ``X`` and returns one of its shape; one that mixes samples
returns ``(X, order, share)``: sample i became ``share[i]`` of itself and the rest of sample
``order[i]``, so that its loss is ``share * loss(y) + (1 - share) * loss(y[order])``. It always
acts: who calls it leaves out the batches of validation. All frames of a clip (n, t, c, h, w) get
the draw of their sample. Estimators call it with floats, after images of uint8 were scaled to
[0, 1].
"""

import math
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn


def check_images(X: Tensor) -> None:
    """Refuse batches without the axes of images.

    Parameters
    ----------
    X : Tensor of shape (n_samples, ..., height, width)
        The batch.

    Raises
    ------
    ValueError
        If there are fewer than four axes.
    """
    if X.ndim < 4:
        raise ValueError(
            f"The batch has shape {tuple(X.shape)}: this augmentation takes images (n, c, h, w) or "
            "clips (n, t, c, h, w)."
        )


def check_share(name: str, value: float) -> None:
    """Refuse what is no probability.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : float
        What it was set to.

    Raises
    ------
    ValueError
        If it is outside [0, 1].
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} is no share of the samples: pass one in [0, 1].")


def per_sample(values: Tensor, X: Tensor) -> Tensor:
    """Return values of samples, or of their pixels, with axes of one before those of the pixels.

    Parameters
    ----------
    values : Tensor of shape (n_samples,) or (n_samples, height, width)
        One value per sample, or per pixel of every sample.
    X : Tensor of shape (n_samples, ..., height, width)
        What they are to be combined with.

    Returns
    -------
    values : Tensor
        The same with as many axes as `X`.
    """
    return values.reshape(len(X), *[1] * (X.ndim - values.ndim), *values.shape[1:])


def shift_images(X: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Return images moved by whole pixels; what comes in from outside is 0.

    Parameters
    ----------
    X : Tensor of shape (n_samples, ..., height, width)
        The batch.
    down, right : Tensor of int of shape (n_samples,)
        Pixels that each sample moves; below 0 up and left.

    Returns
    -------
    X : Tensor of shape (n_samples, ..., height, width)
        The moved batch.
    """
    height, width = X.shape[-2:]
    rows = torch.arange(height, device=X.device) - down[:, None]
    columns = torch.arange(width, device=X.device) - right[:, None]
    pixels = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    flat = X.reshape(len(X), -1, height * width)
    moved = flat.gather(2, pixels.reshape(len(X), 1, -1).expand_as(flat)).reshape(X.shape)
    return moved.where(per_sample(inside, X), 0)


def box_masks(
    top: Tensor, left: Tensor, heights: Tensor, widths: Tensor, shape: Sequence[int]
) -> Tensor:
    """Return which pixels lie in the box of each sample.

    Parameters
    ----------
    top, left, heights, widths : Tensor of int of shape (n_samples,)
        The boxes, in pixels; what lies outside the image is cut off.
    shape : sequence of int
        Height and width of the images.

    Returns
    -------
    inside : Tensor of bool of shape (n_samples, height, width)
        True in the boxes.
    """
    rows = torch.arange(shape[0], device=top.device)
    columns = torch.arange(shape[1], device=top.device)
    in_rows = (rows >= top[:, None]) & (rows < (top + heights)[:, None])
    in_columns = (columns >= left[:, None]) & (columns < (left + widths)[:, None])
    return in_rows[:, :, None] & in_columns[:, None]


def draw_below(stop: Tensor) -> Tensor:
    """Return whole numbers from 0 to below each stop, all alike likely.

    Parameters
    ----------
    stop : Tensor of int of shape (n_samples,)
        1 or more.

    Returns
    -------
    drawn : Tensor of int of shape (n_samples,)
        One number per stop.
    """
    return (torch.rand(stop.shape, device=stop.device) * stop).long().clamp(max=stop - 1)


class RandomFlip(nn.Module):
    """Mirror some samples, for things that look as likely one way as the other: no digits, no text.

    Parameters
    ----------
    horizontal : bool, default=True
        Whether left and right change places.
    vertical : bool, default=False
        Whether top and bottom do.
    p : float, default=0.5
        Probability of each, per sample.

    Raises
    ------
    ValueError
        If `p` is no probability.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import RandomFlip
    >>> RandomFlip(p=1.0)(torch.arange(3.0).reshape(1, 1, 1, 3))
    tensor([[[[2., 1., 0.]]]])
    """

    def __init__(self, *, horizontal: bool = True, vertical: bool = False, p: float = 0.5) -> None:
        super().__init__()
        check_share("p", p)
        self.horizontal = horizontal
        self.vertical = vertical
        self.p = p

    def forward(self, X: Tensor) -> Tensor:
        """Return the batch, some samples mirrored.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ..., height, width)
            Images or clips.

        Returns
        -------
        X : Tensor of shape (n_samples, ..., height, width)
            The same, flipped.
        """
        check_images(X)
        for axis, wanted in ((-1, self.horizontal), (-2, self.vertical)):
            if wanted:
                chosen = torch.rand(len(X), device=X.device) < self.p
                X = torch.where(per_sample(chosen, X), X.flip(axis), X)
        return X


class RandomShift(nn.Module):
    """Move every sample by whole pixels, as many as are drawn, and fill with 0.

    Parameters
    ----------
    shift : int or float, default=0.1
        Most pixels along each axis, or below 1 that share of the image's side.

    Raises
    ------
    ValueError
        If `shift` is negative, or a float of 1 or more.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import RandomShift
    >>> RandomShift(2)(torch.rand(8, 3, 32, 32)).shape
    torch.Size([8, 3, 32, 32])
    """

    def __init__(self, shift: float = 0.1) -> None:
        super().__init__()
        if shift < 0 or (not isinstance(shift, Integral) and shift >= 1):
            raise ValueError(
                f"shift={shift}: pass whole pixels as an int, such as 2, or a share of the side as "
                "a float below 1, such as 0.1."
            )
        self.shift = shift

    def forward(self, X: Tensor) -> Tensor:
        """Return the batch, every sample moved.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ..., height, width)
            Images or clips.

        Returns
        -------
        X : Tensor of shape (n_samples, ..., height, width)
            The same, moved.
        """
        check_images(X)
        by = []
        for side in X.shape[-2:]:
            most = self.shift if isinstance(self.shift, Integral) else round(self.shift * side)
            by.append(torch.randint(-most, most + 1, (len(X),), device=X.device))
        return shift_images(X, *by)


class RandomErasing(nn.Module):
    """Blank a rectangle of some samples, so that no single part of an object is relied on.

    Parameters
    ----------
    p : float, default=0.5
        Probability per sample.
    scale : tuple of float, default=(0.02, 0.33)
        Least and largest area, as a share of the image.
    ratio : tuple of float, default=(0.3, 3.3)
        Least and largest height per width; a side ends where the image does.
    value : float, default=0.0
        What it is filled with.

    Raises
    ------
    ValueError
        If `p` is no probability, or the ranges are none.

    References
    ----------
    .. [1] Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang, "Random Erasing Data Augmentation",
       AAAI 2020.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import RandomErasing
    >>> erased = RandomErasing(p=1.0)(torch.ones(8, 3, 32, 32)) == 0
    >>> bool((erased.float().mean((1, 2, 3)) > 0).all())
    True
    """

    def __init__(
        self,
        *,
        p: float = 0.5,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        value: float = 0.0,
    ) -> None:
        super().__init__()
        check_share("p", p)
        if not (0 < scale[0] <= scale[1] <= 1 and 0 < ratio[0] <= ratio[1]):
            raise ValueError(
                f"scale={scale} and ratio={ratio}: pass (least, largest) of each, above 0, and "
                "shares of the area up to 1."
            )
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value

    def forward(self, X: Tensor) -> Tensor:
        """Return the batch, a rectangle of some samples blanked.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ..., height, width)
            Images or clips.

        Returns
        -------
        X : Tensor of shape (n_samples, ..., height, width)
            The same, erased.
        """
        check_images(X)
        height, width = X.shape[-2:]
        chosen, area, ratio = torch.rand(3, len(X), device=X.device)
        area = height * width * (self.scale[0] + (self.scale[1] - self.scale[0]) * area)
        low, high = map(math.log, self.ratio)
        ratio = torch.exp(low + (high - low) * ratio)
        heights = (area * ratio).sqrt().round().long().clamp(1, height)
        widths = (area / ratio).sqrt().round().long().clamp(1, width)
        top, left = draw_below(height + 1 - heights), draw_below(width + 1 - widths)
        inside = box_masks(top, left, heights, widths, (height, width))
        return X.masked_fill(per_sample(inside & (chosen < self.p)[:, None, None], X), self.value)


def draw_partners(n_samples: int, alpha: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return a partner for every sample, and the share that it keeps of itself.

    Parameters
    ----------
    n_samples : int
        Samples in the batch.
    alpha : float
        Of the Beta distribution of the shares.
    device : torch.device
        Where the batch is.

    Returns
    -------
    order : Tensor of int of shape (n_samples,)
        Row number of the partner.
    share : Tensor of shape (n_samples,)
        Drawn from Beta(alpha, alpha).
    """
    # On the CPU, as Apple GPUs cannot draw from this distribution.
    share = torch.distributions.Beta(alpha, alpha).sample((n_samples,))
    return torch.randperm(n_samples, device=device), share.to(device)


def check_alpha(alpha: float) -> None:
    """Refuse a parameter that makes no Beta distribution.

    Parameters
    ----------
    alpha : float
        Of the Beta distribution of the shares.

    Raises
    ------
    ValueError
        If it is not above zero.
    """
    if not alpha > 0:
        raise ValueError(f"alpha={alpha} makes no Beta distribution: pass a value above 0.")


class Mixup(nn.Module):
    """Blend every sample with another of the batch, and its target likewise.

    Takes tables as well as images. Padded clips of different lengths are blended frame by frame,
    padding included.

    Parameters
    ----------
    alpha : float, default=0.2
        The share a sample keeps of itself is drawn from Beta(alpha, alpha): near 0 or 1 for small
        values, uniform for 1.

    Raises
    ------
    ValueError
        If `alpha` is not above zero.

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical Risk
       Minimization", ICLR 2018.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import Mixup
    >>> X = torch.rand(8, 1, 28, 28)
    >>> mixed, order, share = Mixup(alpha=1.0)(X)
    >>> kept = share[:, None, None, None]
    >>> torch.allclose(mixed, kept * X + (1 - kept) * X[order])
    True
    """

    def __init__(self, alpha: float = 0.2) -> None:
        super().__init__()
        check_alpha(alpha)
        self.alpha = alpha

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the blended batch, the partners and the shares.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            Samples of a floating type.

        Returns
        -------
        X : Tensor of shape (n_samples, ...)
            The blends.
        order : Tensor of int of shape (n_samples,)
            Row number of each sample's partner.
        share : Tensor of shape (n_samples,)
            What each sample kept of itself.
        """
        if not X.is_floating_point():
            raise ValueError(
                f"Mixup blends values, and the batch has dtype {X.dtype}: pass floats, such as "
                "X.float() / 255."
            )
        order, share = draw_partners(len(X), self.alpha, X.device)
        kept = share.reshape(-1, *[1] * (X.ndim - 1)).to(X.dtype)
        return X[order].lerp(X, kept), order, share


class CutMix(nn.Module):
    """Paste a rectangle of another sample of the batch into every sample, and mix the targets.

    Parameters
    ----------
    alpha : float, default=1.0
        The share of the area a sample is to keep is drawn from Beta(alpha, alpha). Rectangles are
        cut off at the image's edge; the share returned is exact.

    Raises
    ------
    ValueError
        If `alpha` is not above zero.

    References
    ----------
    .. [1] S. Yun, D. Han, S. J. Oh, S. Chun, J. Choe, Y. Yoo, "CutMix: Regularization Strategy to
       Train Strong Classifiers with Localizable Features", ICCV 2019.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import CutMix
    >>> X = torch.rand(8, 1, 28, 28)
    >>> mixed, order, share = CutMix()(X)
    >>> bool(((mixed == X) | (mixed == X[order])).all())
    True
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        check_alpha(alpha)
        self.alpha = alpha

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the batch with rectangles pasted in, the partners and the shares.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ..., height, width)
            Images or clips.

        Returns
        -------
        X : Tensor of shape (n_samples, ..., height, width)
            The mixed batch.
        order : Tensor of int of shape (n_samples,)
            Row number of each sample's partner.
        share : Tensor of shape (n_samples,)
            Share of the area each sample kept.
        """
        check_images(X)
        height, width = X.shape[-2:]
        order, share = draw_partners(len(X), self.alpha, X.device)
        side = (1 - share).sqrt()
        heights, widths = (height * side).round().long(), (width * side).round().long()
        middle = torch.rand(2, len(X), device=X.device)
        top = (height * middle[0]).long() - heights // 2
        left = (width * middle[1]).long() - widths // 2
        inside = box_masks(top, left, heights, widths, (height, width))
        share = 1 - inside.float().mean((1, 2))
        return torch.where(per_sample(inside, X), X[order], X), order, share


class Augmentation(nn.Module):
    """Several augmentations, one after the other.

    Parameters
    ----------
    *steps : callable
        Augmentations, at most one of which mixes samples. Transforms of
        ``torchvision.transforms.v2`` do as well; they draw once per batch, not per sample.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import Augmentation, Mixup, RandomFlip
    >>> X, order, share = Augmentation(RandomFlip(), Mixup())(torch.rand(4, 1, 8, 8))
    >>> X.shape, share.shape
    (torch.Size([4, 1, 8, 8]), torch.Size([4]))
    """

    def __init__(self, *steps: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, X: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Return the augmented batch, with partners and shares if a step mixes samples.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ..., height, width)
            Images or clips.

        Returns
        -------
        augmented : Tensor or tuple of (X, order, share)
            The batch, or the mixed batch, the row number of each sample's partner and the share it
            kept of itself.
        """
        mixed: tuple[Tensor, ...] = ()
        for step in self.steps:
            X = step(X)
            if isinstance(X, tuple):
                if mixed:
                    raise ValueError(
                        f"Two of {len(self.steps)} augmentations mix samples, the second a "
                        f"{type(step).__name__}: leave one of them out."
                    )
                X, *rest = X
                mixed = tuple(rest)
        return (X, *mixed) if mixed else X


AUGMENTATIONS: dict[str, Callable[[], Callable[[Tensor], Any]]] = {
    "default": lambda: Augmentation(RandomShift(), RandomErasing()),
    "flip": RandomFlip,
    "vertical_flip": lambda: RandomFlip(horizontal=False, vertical=True),
    "shift": RandomShift,
    "erasing": RandomErasing,
    "mixup": Mixup,
    "cutmix": CutMix,
}


def get_augmentation(
    augmentation: str | Callable[[Tensor], Any] | Sequence[str | Callable[[Tensor], Any]],
) -> Callable[[Tensor], Any]:
    """Return an augmentation by the names users type.

    Parameters
    ----------
    augmentation : str, callable or sequence of these
        A key of ``skrecall.nn.AUGMENTATIONS``; "default" is shift and erasing, as digits and
        letters must not be flipped. A callable is returned as it is; a sequence becomes an
        `Augmentation` of its parts, in order.

    Returns
    -------
    augmentation : callable
        From a batch to a batch, or to ``(X, order, share)`` if it mixes samples.

    Raises
    ------
    ValueError
        If no augmentation has that name.

    Examples
    --------
    >>> from skrecall.nn import get_augmentation
    >>> get_augmentation(("flip", "shift", "mixup")).steps
    (RandomFlip(), RandomShift(), Mixup())
    """
    if callable(augmentation):
        return augmentation
    if not isinstance(augmentation, str):
        return Augmentation(*map(get_augmentation, augmentation))
    if augmentation not in AUGMENTATIONS:
        raise ValueError(
            f"augmentation={augmentation!r} is unknown: choose "
            f"{', '.join(map(repr, AUGMENTATIONS))}, several of these, or a callable of a batch."
        )
    return AUGMENTATIONS[augmentation]()
