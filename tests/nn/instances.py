"""The one list of losses that the common tests run over."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from skrecall.nn import Loss, get_loss


@dataclass(frozen=True)
class LossCase:
    """A loss by name, and a small batch that fits to it."""

    name: str
    params: dict[str, Any] = field(default_factory=dict)
    # What the targets are: a class number per row ("classes"), per pixel ("pixels"), an indicator
    # per row ("indicator") or per pixel ("masks").
    targets: str = "classes"
    # False where `reduction="none"` gives a loss per class, which no single target has.
    elementwise: bool = True
    # False where a batch trains on some of its targets only, and the mean is over those.
    all_targets_count: bool = True

    def __str__(self) -> str:
        shown = ", ".join(f"{k}={v}" for k, v in self.params.items())
        return f"{self.name}({shown}) of {self.targets}"

    def make(self, **params: Any) -> Loss:
        return get_loss(self.name, **{**self.params, **params})

    def batch(self, dtype: torch.dtype = torch.float64, n: int = 6) -> tuple[Tensor, Tensor]:
        """Return logits of 4 outputs and targets, none of them missing."""
        generator = torch.Generator().manual_seed(0)
        shape = (n, 4, 2, 3) if self.targets in {"pixels", "masks"} else (n, 4)
        logits = 3 * torch.randn(shape, generator=generator, dtype=dtype)
        if self.targets in {"indicator", "masks"}:
            return logits, torch.randint(2, shape, generator=generator).to(dtype)
        return logits, torch.randint(4, shape[:1] + shape[2:], generator=generator)


CLASS_WEIGHT = [1.0, 2.0, 5.0, 0.5]
LABEL_COUNTS = {"label_counts": [40, 30, 20, 10], "n_samples": 50}
CLASS_COUNTS = [40, 30, 20, 10]

LOSS_CASES = [
    LossCase("cross_entropy"),
    LossCase("cross_entropy", {"weight": CLASS_WEIGHT}),
    LossCase("cross_entropy", {"weight": CLASS_WEIGHT, "mean_over": "weights"}, "pixels"),
    LossCase("focal"),
    LossCase("focal", {"gamma": 0.5, "weight": CLASS_WEIGHT}, "pixels"),
    LossCase("poly1"),
    LossCase("poly1", {"epsilon": -1.0, "gamma": 2.0, "weight": CLASS_WEIGHT}, "pixels"),
    LossCase("ldam", {"class_counts": CLASS_COUNTS, "scale": 5.0}),
    LossCase("ldam", {"class_counts": CLASS_COUNTS, "weight": "effective"}, "pixels"),
    LossCase("logit_adjusted", {"class_counts": CLASS_COUNTS, "tau": 0.5}),
    LossCase("balanced_softmax", {"class_counts": CLASS_COUNTS, "weight": "sqrt"}, "pixels"),
    # The compensation is a constant of the gradient, so the numerical one is another.
    LossCase("seesaw", {"q": 0.0}),
    LossCase("seesaw", {"q": 0.0, "weight": CLASS_WEIGHT}, "pixels"),
    LossCase("binary_cross_entropy", targets="indicator"),
    LossCase("binary_cross_entropy", {"pos_weight": CLASS_WEIGHT}, "indicator"),
    LossCase("combined", {"losses": {"cross_entropy": 1.0, "focal": 0.5}}, "pixels"),
    LossCase("hard_example_mining", all_targets_count=False),
    LossCase(
        "hard_example_mining",
        {"loss": "focal", "negatives_per_positive": 0.5, "level": "pixel"},
        "pixels",
        all_targets_count=False,
    ),
    LossCase(
        "hard_example_mining",
        {"loss": "cross_entropy", "loss_params": {"weight": CLASS_WEIGHT}, "keep": 1.0},
    ),
    LossCase("dice", {"weight": CLASS_WEIGHT}, "pixels", elementwise=False),
    LossCase("dice", elementwise=False),
    LossCase("dice", {"mode": "sigmoid", "average": "sample", "squared": True}, "masks"),
    LossCase("jaccard", {"smooth": 0.0}, "pixels", elementwise=False),
    LossCase("jaccard", {"mode": "sigmoid"}, "indicator", elementwise=False),
    LossCase("tversky", {"average": "sample"}, "pixels"),
    LossCase("focal_tversky", {"mode": "sigmoid", "absent": "skip"}, "masks", elementwise=False),
    LossCase("generalized_dice", {}, "pixels", elementwise=False),
    LossCase("generalized_dice", {"mode": "sigmoid", "average": "sample"}, "masks"),
    LossCase("lovasz", {}, "pixels", elementwise=False),
    LossCase("lovasz", {"average": "sample", "absent": "count"}, "pixels"),
    LossCase("lovasz", {"mode": "sigmoid", "hinge": True}, "masks", elementwise=False),
    LossCase(
        "hard_example_mining",
        {"loss": "binary_cross_entropy", "keep": 0.4, "level": "label"},
        "indicator",
        all_targets_count=False,
    ),
    LossCase("sigmoid_focal", targets="indicator"),
    LossCase("sigmoid_focal", {"gamma": 0.5, "alpha": 0.75}, "indicator"),
    LossCase("sigmoid_poly1", targets="indicator"),
    LossCase("sigmoid_poly1", {"epsilon": -1.0, "gamma": 2.0, "alpha": 0.75}, "indicator"),
    LossCase("asymmetric", {"clip": 0.0}, "indicator"),
    LossCase("asymmetric", {"gamma_negative": 0.5, "clip": 1e-9}, "indicator"),
    LossCase("distribution_balanced", LABEL_COUNTS, "indicator"),
    LossCase("distribution_balanced", {**LABEL_COUNTS, "gamma": 0.5}, "indicator"),
    LossCase("zlpr", targets="indicator"),
    LossCase("partial_label", {"mode": "ignore"}, "indicator"),
    LossCase("partial_label", {"mode": "normalized", "clip": 0.05}, "indicator"),
]
