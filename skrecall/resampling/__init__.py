"""Samplers in imbalanced-learn's contract, for one label, several, and images."""

from ._array import ArraySampler
from ._cluster import ClusterUnderSampler
from ._density import DensityUnderSampler
from ._fast_enn import FastEditedNearestNeighbours
from ._fast_tomek import FastTomekLinks
from ._hard_negatives import HardNegativeUnderSampler
from ._lpros import LPROS
from ._lprus import LPRUS
from ._metadata_pipeline import MetadataPipeline, make_metadata_pipeline
from ._mixup import MixupOverSampler
from ._mlenn import MLeNN
from ._mlros import MLROS
from ._mlrus import MLRUS
from ._mlsmote import MLSMOTE
from ._mlsol import MLSOL
from ._mltl import MLTL
from ._mlul import MLUL
from ._noise import NoisySampleFilter
from ._remedial import REMEDIAL
from ._remedial_hwr import REMEDIALHwR

__all__ = [
    "ArraySampler",
    "ClusterUnderSampler",
    "DensityUnderSampler",
    "FastEditedNearestNeighbours",
    "FastTomekLinks",
    "HardNegativeUnderSampler",
    "LPROS",
    "LPRUS",
    "MLROS",
    "MLRUS",
    "MLSMOTE",
    "MLSOL",
    "MLTL",
    "MLUL",
    "MLeNN",
    "MetadataPipeline",
    "MixupOverSampler",
    "NoisySampleFilter",
    "REMEDIAL",
    "REMEDIALHwR",
    "make_metadata_pipeline",
]
