"""What is counted, on which curve, with which uncertainty."""

from ._operating_curve import OperatingCurve, operating_curve

__all__ = ["OperatingCurve", "operating_curve"]
