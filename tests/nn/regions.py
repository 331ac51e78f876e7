"""Small images with their masks, and the sums that losses of regions are made of, by a loop."""

import torch

# A published number exists for these: Segmentation Models PyTorch smooths as we do; MONAI adds 1e-5
# to both sides of the fraction, which is 5e-6 pixels that are predicted and true.
LOGITS = torch.tensor([[[[2.0, 0], [0, -1]], [[0, 1], [0, 0]], [[-1, 0], [1, 3]]]])
MASK = torch.tensor([[[0, 1], [2, 2]]])
MONAI = 5e-6


def batch(mode="softmax", shape=(4, 3, 3, 5), seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    if mode == "sigmoid":
        return logits, torch.randint(2, shape, generator=generator).double()
    return logits, torch.randint(shape[1], shape[:1] + shape[2:], generator=generator)


def sums_by_loop(logits, targets, mode):
    """Return I, P and T of every sample and class over the targets that are not missing."""
    p = logits.softmax(1) if mode == "softmax" else logits.sigmoid()
    sums = torch.zeros(3, *logits.shape[:2], dtype=torch.float64)
    for i, j in torch.cartesian_prod(*(torch.arange(n) for n in logits.shape[:2])).tolist():
        for y in range(logits.shape[2]):
            for x in range(logits.shape[3]):
                if mode == "softmax":
                    target = targets[i, y, x].item()
                    known, true = target != -100, float(target == j)
                else:
                    target = targets[i, j, y, x].item()
                    known, true = target == target and target != -1, target
                if known:
                    prob = p[i, j, y, x].item()
                    sums[:, i, j] += torch.tensor([prob * true, prob, true], dtype=torch.float64)
    return sums
