"""Tversky losses against published numbers and bad weights; their formulas are in test_region."""

import pytest
from torch.testing import assert_close

from skrecall.nn import FocalTverskyLoss, JaccardLoss, TverskyLoss
from tests.nn.regions import LOGITS, MASK


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (JaccardLoss(smooth=0.0), 0.44126320),
        (JaccardLoss(smooth=1.0), 0.26943800),
        (TverskyLoss(alpha=0.3, beta=0.7, smooth=0.0), 0.28462982),
        (TverskyLoss(alpha=0.3, beta=0.7, smooth=1.0), 0.15474510),
    ],
)
@pytest.mark.parametrize("average", ["batch", "sample"])
def test_reference_values(loss, expected, average):
    loss.average = average  # there is one image
    assert_close(loss(LOGITS, MASK).item(), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TverskyLoss(alpha=-1.0), r"alpha=-1.0 and beta=0.7 weigh false positives"),
        (lambda: TverskyLoss(alpha=0.0, beta=0.0), r"one at least above 0"),
        (lambda: FocalTverskyLoss(gamma=0.0), r"gamma=0.0 must be above 0"),
    ],
)
def test_bad_weights_get_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()
