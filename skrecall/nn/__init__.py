"""Torch only: losses and backbones that the estimators of neural_network are made of."""

from skrecall.utils._optional import import_optional

import_optional("torch", purpose="skrecall.nn")

from ._asymmetric import AsymmetricLoss, asymmetric_loss  # noqa: E402
from ._augmentation import (  # noqa: E402
    AUGMENTATIONS,
    Augmentation,
    CutMix,
    Mixup,
    RandomErasing,
    RandomFlip,
    RandomShift,
    get_augmentation,
)
from ._backbone import count_features, extract_features  # noqa: E402
from ._batch_samplers import (  # noqa: E402
    BATCH_SAMPLERS,
    BalancedBatchSampler,
    InverseFrequencyBatchSampler,
    RepeatFactorBatchSampler,
    repeat_factors,
)
from ._binary_cross_entropy import (  # noqa: E402
    WeightedBinaryCrossEntropyLoss,
    positive_weights,
    unweighted_probabilities,
    weighted_binary_cross_entropy,
)
from ._class_weights import class_weights  # noqa: E402
from ._combined import CombinedLoss  # noqa: E402
from ._cross_entropy import (  # noqa: E402
    SoftmaxFocalLoss,
    WeightedCrossEntropyLoss,
    softmax_focal_loss,
    weighted_cross_entropy,
)
from ._dice import (  # noqa: E402
    DiceLoss,
    GeneralizedDiceLoss,
    dice_loss,
    generalized_dice_loss,
)
from ._distillation import (  # noqa: E402
    SigmoidDistillationLoss,
    SoftmaxDistillationLoss,
    sigmoid_distillation,
    softmax_distillation,
)
from ._distribution_balanced import (  # noqa: E402
    DistributionBalancedLoss,
    distribution_balanced_loss,
)
from ._feature_pyramid import FeaturePyramid, FeaturePyramidCNN  # noqa: E402
from ._gan import (  # noqa: E402
    ImageDiscriminator,
    ImageGenerator,
    TableDiscriminator,
    TableGenerator,
    discriminator_loss,
    generator_loss,
)
from ._hard_example_mining import HardExampleMining  # noqa: E402
from ._heads import HEADS, BackboneWithHead, build_head  # noqa: E402
from ._label_graph_head import LabelGraphHead  # noqa: E402
from ._ldam import LDAMLoss, ldam_loss, ldam_margins  # noqa: E402
from ._linear_heads import CosineHead, LinearHead, pool_features  # noqa: E402
from ._logit_adjusted import LogitAdjustedLoss, logit_adjusted_loss  # noqa: E402
from ._loss import Loss, SigmoidLoss, SoftmaxLoss  # noqa: E402
from ._lovasz import LovaszLoss, lovasz_loss  # noqa: E402
from ._ml_decoder_head import MLDecoderHead  # noqa: E402
from ._partial_label import PartialLabelLoss, partial_label_loss  # noqa: E402
from ._perceptron import MultilayerPerceptron  # noqa: E402
from ._poly1 import Poly1Loss, poly1_loss  # noqa: E402
from ._recurrent import RecurrentCNN  # noqa: E402
from ._registry import LOSSES, get_loss, takes_counts  # noqa: E402
from ._residual import ResNet  # noqa: E402
from ._seesaw import SeesawLoss, seesaw_loss  # noqa: E402
from ._sigmoid_focal import SigmoidFocalLoss, sigmoid_focal_loss  # noqa: E402
from ._sigmoid_poly1 import SigmoidPoly1Loss, sigmoid_poly1_loss  # noqa: E402
from ._small_cnn import SmallCNN  # noqa: E402
from ._transfer import freeze, split_parameters  # noqa: E402
from ._tversky import (  # noqa: E402
    FocalTverskyLoss,
    JaccardLoss,
    TverskyLoss,
    jaccard_loss,
    tversky_loss,
)
from ._zlpr import ZLPRLoss, zlpr_loss  # noqa: E402

__all__ = [
    "AUGMENTATIONS",
    "AsymmetricLoss",
    "Augmentation",
    "BATCH_SAMPLERS",
    "BackboneWithHead",
    "BalancedBatchSampler",
    "CombinedLoss",
    "CosineHead",
    "CutMix",
    "DiceLoss",
    "DistributionBalancedLoss",
    "FeaturePyramid",
    "FeaturePyramidCNN",
    "FocalTverskyLoss",
    "GeneralizedDiceLoss",
    "HEADS",
    "HardExampleMining",
    "ImageDiscriminator",
    "ImageGenerator",
    "InverseFrequencyBatchSampler",
    "JaccardLoss",
    "LDAMLoss",
    "LOSSES",
    "LabelGraphHead",
    "LinearHead",
    "LogitAdjustedLoss",
    "Loss",
    "LovaszLoss",
    "MLDecoderHead",
    "Mixup",
    "MultilayerPerceptron",
    "PartialLabelLoss",
    "Poly1Loss",
    "RandomErasing",
    "RandomFlip",
    "RandomShift",
    "RecurrentCNN",
    "RepeatFactorBatchSampler",
    "ResNet",
    "SeesawLoss",
    "SigmoidDistillationLoss",
    "SigmoidFocalLoss",
    "SigmoidLoss",
    "SigmoidPoly1Loss",
    "SmallCNN",
    "SoftmaxDistillationLoss",
    "SoftmaxFocalLoss",
    "SoftmaxLoss",
    "TableDiscriminator",
    "TableGenerator",
    "TverskyLoss",
    "WeightedBinaryCrossEntropyLoss",
    "WeightedCrossEntropyLoss",
    "ZLPRLoss",
    "asymmetric_loss",
    "build_head",
    "class_weights",
    "count_features",
    "dice_loss",
    "discriminator_loss",
    "distribution_balanced_loss",
    "extract_features",
    "freeze",
    "generalized_dice_loss",
    "generator_loss",
    "get_augmentation",
    "get_loss",
    "jaccard_loss",
    "ldam_loss",
    "ldam_margins",
    "logit_adjusted_loss",
    "lovasz_loss",
    "partial_label_loss",
    "poly1_loss",
    "pool_features",
    "positive_weights",
    "repeat_factors",
    "seesaw_loss",
    "sigmoid_distillation",
    "sigmoid_focal_loss",
    "sigmoid_poly1_loss",
    "softmax_distillation",
    "softmax_focal_loss",
    "split_parameters",
    "takes_counts",
    "tversky_loss",
    "unweighted_probabilities",
    "weighted_binary_cross_entropy",
    "weighted_cross_entropy",
    "zlpr_loss",
]
