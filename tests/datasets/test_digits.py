import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import zoom
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from skrecall.datasets import make_multilabel_digits, make_rare_digits

BUNDLED = load_digits()


def test_undistorted_images_are_the_bundled_scans():
    data = make_rare_digits(
        1000, image_size=8, distortion=0, noise=0, prevalence=0.08, random_state=0
    )
    expected = np.rint(BUNDLED.images[data.groups] * 255 / 16)
    assert_array_equal(data.images[:, 0], expected)
    assert_array_equal(data.digit, BUNDLED.target[data.groups])
    assert_array_equal(data.target, data.digit == 8)
    assert data.target.sum() == 80
    assert len(np.unique(data.groups)) == 1000


def test_upscaled_images_are_linear_interpolations():
    data = make_rare_digits(20, image_size=28, distortion=0, noise=0, random_state=0)
    padded = np.pad(BUNDLED.images[data.groups], [(0, 0), (2, 2), (2, 2)])
    zoomed = zoom(padded, (1, 3.5, 3.5), order=1, grid_mode=True, mode="grid-constant")
    assert_allclose(data.images[:, 0], zoomed[:, 7:-7, 7:-7] * 255 / 16, atol=0.5 + 1e-9)


@pytest.mark.parametrize("images_per_scan", [None, 4])
def test_counts_groups_and_table(images_per_scan):
    data = make_rare_digits(
        900, rare_digit=3, prevalence=0.3, images_per_scan=images_per_scan, random_state=0
    )
    assert data.images.shape == (900, 1, 16, 16)
    assert data.images.dtype == np.uint8
    assert_allclose(data.X * 255, data.images.reshape(900, 256))
    assert data.target.sum() == 270
    per_scan = np.bincount(data.groups, minlength=1797)
    if images_per_scan is None:  # 183 scans of a 3 for 270 images, 630 others from 1614
        assert set(per_scan[BUNDLED.target == 3]) == {1, 2}
        assert set(per_scan[BUNDLED.target != 3]) == {0, 1}
    else:
        assert set(per_scan[per_scan > 0]) == {3, 4}
    assert len(np.unique(data.X, axis=0)) == 900
    assert "270" in data.DESCR


def test_a_model_finds_the_rare_digit_in_unseen_scans():
    data = make_rare_digits(1200, prevalence=0.1, random_state=0)
    model = make_pipeline(MaxAbsScaler(), LogisticRegression(C=0.1, max_iter=500))
    proba = cross_val_predict(
        model,
        data.X,
        data.target,
        groups=data.groups,
        cv=GroupKFold(3),
        method="predict_proba",
    )
    assert 0.8 < roc_auc_score(data.target, proba[:, 1]) < 0.999


def test_multilabel_canvases_show_their_scans():
    data = make_multilabel_digits(
        300, max_digits=4, image_size=16, distortion=0, noise=0, random_state=0
    )
    scaled = np.rint(BUNDLED.images * 255 / 16)
    for image, scans, labels in zip(data.images[:, 0], data.scans, data.Y, strict=True):
        cells = image.reshape(2, 8, 2, 8).transpose(0, 2, 1, 3).reshape(4, 8, 8)
        cells = sorted(cell.tobytes() for cell in cells if cell.any())
        used = scans[scans >= 0]
        assert cells == sorted(scaled[scan].astype(np.uint8).tobytes() for scan in used)
        assert_array_equal(np.flatnonzero(labels), np.sort(BUNDLED.target[used]))
    assert_array_equal(np.unique(data.Y.sum(axis=1)), [1, 2, 3, 4])


@pytest.mark.parametrize("n_pools", [1, 7, 100])
def test_multilabel_pools_share_no_scan(n_pools):
    data = make_multilabel_digits(2000, n_pools=n_pools, image_size=16, random_state=0)
    owner = {}
    for pool, scans in zip(data.groups, data.scans, strict=True):
        for scan in scans[scans >= 0]:
            assert owner.setdefault(scan, pool) == pool
    assert_array_equal(np.unique(data.groups), np.arange(n_pools))


def test_multilabel_imbalance():
    drawn = make_multilabel_digits(
        6000, max_digits=1, imbalance=9, image_size=8, random_state=0
    ).Y.mean(axis=0)
    weight = 9.0 ** (-np.arange(10) / 9)
    expected = weight / weight.sum()
    assert np.all(np.abs(drawn - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / 6000))


@pytest.mark.parametrize("make", [make_rare_digits, make_multilabel_digits])
def test_seed(make):
    first, second, other = (make(100, random_state=seed) for seed in (0, 0, 1))
    assert_array_equal(first.images, second.images)
    assert np.any(first.images != other.images)


@pytest.mark.parametrize(
    ("make", "params", "message"),
    [
        (
            make_rare_digits,
            {"prevalence": 0.2, "images_per_scan": 1},
            "300 images of the digit 8 need 300 scans .* there are 174: .* at least 2",
        ),
        (
            make_rare_digits,
            {"prevalence": 0.2, "distortion": 0, "noise": 0},
            "the 2 images of a scan are identical copies",
        ),
        (
            make_multilabel_digits,
            {"min_digits": 4},
            "min_digits=4 exceeds max_digits=3",
        ),
        (
            make_multilabel_digits,
            {"image_size": 17},
            "image_size=17 does not give 2 x 2 cells .* multiple of 2 from 16 on",
        ),
    ],
)
def test_impossible_requests_are_refused(make, params, message):
    with pytest.raises(ValueError, match=message):
        make(**params)
