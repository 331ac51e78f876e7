import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import center_of_mass
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from skrecall.datasets import make_moving_digits


def tracks(data):
    """Return where the ink lies in each frame of each clip, as a list of (length, 2)."""
    return [
        np.array([center_of_mass(frame[0]) for frame in clip[:length]])
        for clip, length in zip(data.clips, data.lengths, strict=True)
    ]


def test_the_shown_digit_is_the_scan():
    data = make_moving_digits(40, noise=0, random_state=0)
    bundled = load_digits()
    assert_array_equal(data.digit, bundled.target[data.groups])
    ink = bundled.images[data.groups].sum(axis=(1, 2)) * 255 / 16
    for clip, length, expected in zip(data.clips, data.lengths, ink, strict=True):
        assert_allclose(clip[:length].sum(axis=(1, 2, 3)), expected, rtol=0.02)
        assert not clip[length:].any()


def test_labels_are_the_directions_in_which_the_ink_moves():
    data = make_moving_digits(200, noise=0, prevalence=0.3, random_state=0)
    assert data.target.sum() == 60
    for track, turns, labels in zip(tracks(data), data.target, data.Y, strict=True):
        down, right = (np.diff(track, axis=0) / np.ptp(track, axis=0).max()).T
        moves = [
            (right < -0.03).any(),
            (right > 0.03).any(),
            (down < -0.03).any(),
            (down > 0.03).any(),
        ]
        assert_array_equal(labels, moves)
        way = np.abs(np.diff(track, axis=0)).sum()
        assert (np.abs(track[-1] - track[0]).sum() < 0.3 * way) == turns


def test_the_digit_is_once_at_each_of_evenly_spaced_places():
    data = make_moving_digits(60, prevalence=0.5, noise=0, min_frames=5, random_state=0)
    for track, length in zip(tracks(data), data.lengths, strict=True):
        along = track[:, np.ptp(track, axis=0).argmax()]
        assert_allclose(np.diff(np.sort(along)), np.ptp(along) / (length - 1), rtol=0.05)


def test_only_the_order_of_the_frames_tells_who_turns():
    data = make_moving_digits(800, prevalence=0.5, min_frames=9, max_frames=9, random_state=0)
    forest = RandomForestClassifier(100, random_state=0)

    def auc(X):
        proba = cross_val_predict(
            forest, X.reshape(len(X), -1), data.target, method="predict_proba"
        )
        return roc_auc_score(data.target, proba[:, 1])

    assert auc(data.clips.mean(axis=1)) < 0.56
    assert auc(data.clips[:, -1].astype(float) - data.clips[:, 0]) > 0.85


def test_lengths_seeds_and_shapes():
    data = make_moving_digits(50, min_frames=4, max_frames=7, image_size=20, random_state=3)
    assert data.clips.shape == (50, 7, 1, 20, 20)
    assert data.clips.dtype == np.uint8
    assert set(data.lengths) == {4, 5, 6, 7}
    assert "50 clips of 4 to 7 grey frames" in data.DESCR
    again = make_moving_digits(50, min_frames=4, max_frames=7, image_size=20, random_state=3)
    assert_array_equal(again.clips, data.clips)
    other = make_moving_digits(50, min_frames=4, max_frames=7, image_size=20, random_state=4)
    assert (other.clips != data.clips).any()


def test_bad_input_gets_a_sentence():
    with pytest.raises(ValueError, match=r"min_frames=9 exceeds max_frames=6: lower the first"):
        make_moving_digits(10, min_frames=9, max_frames=6)
