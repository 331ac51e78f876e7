"""Torch only: losses and backbones that the estimators of neural_network are made of."""

from skrecall.utils._optional import import_optional

import_optional("torch", purpose="skrecall.nn")
