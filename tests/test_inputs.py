"""Matrices from arrays, files and ready-made choices."""

import numpy as np
import pytest
import xarray as xr

from waferviz.api import multiply
from waferviz.inputs import SAMPLES, matrix, pair, sample
from waferviz.verify import verify

A = np.arange(12.0).reshape(3, 4)


def test_a_file_holds_what_was_saved(tmp_path):
    np.save(tmp_path / "a.npy", A)
    np.savez(tmp_path / "a.npz", one=np.arange(3), two=A)
    np.savetxt(tmp_path / "a.csv", A, delimiter=",")
    for name in ("a.npy", "a.npz", "a.csv"):
        assert np.array_equal(matrix(tmp_path / name), A)
        assert np.array_equal(matrix(str(tmp_path / name)), A)


def test_a_table_may_have_a_header_and_labels(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("year,jan,feb\n1960,1,2\n1961,3,4\n")
    assert matrix(file).shape[0] == 2
    file.write_text("name,jan,feb\na,1,2\nb,3,4\n")
    assert matrix(file).tolist() == [[1, 2], [3, 4]]


def test_a_picture_is_its_grey_levels(tmp_path):
    image = pytest.importorskip("PIL.Image")
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image.fromarray(grey).save(tmp_path / "a.png")
    assert np.array_equal(matrix(tmp_path / "a.png"), grey)


def test_a_dataarray_and_a_list_are_matrices():
    assert np.array_equal(matrix(xr.DataArray(A)), A)
    assert np.array_equal(matrix([[1, 2], [3, 4]]), [[1, 2], [3, 4]])


def test_a_pair_has_one_dtype():
    one, two = pair(np.eye(2, dtype=np.int8), np.eye(2, dtype=np.float32))
    assert one.dtype == two.dtype == np.float32
    assert pair(np.eye(2, dtype=np.uint64), np.eye(2, dtype=np.int64))[0].dtype == np.int64


@pytest.mark.parametrize("name", list(SAMPLES))
def test_every_sample_multiplies(name):
    if name == "photograph":
        pytest.importorskip("PIL")
    a = sample(name, 16)
    assert verify(multiply(a, a.T, mesh=4))
    assert name == "sea_temperature" or a.shape == (16, 16)


def test_blur_averages():
    assert np.allclose(sample("blur", 40).sum(axis=1), 1)


def test_one_of_several_matrices_is_named(tmp_path):
    np.savez(tmp_path / "two.npz", one=A, two=A + 1, three=np.arange(3))
    assert np.array_equal(matrix(f"{tmp_path}/two.npz:two"), A + 1)
    with pytest.raises(
        ValueError, match=r"2 matrices: one 3 x 4, two 3 x 4; name one, for example 'two\.npz:one'"
    ):
        matrix(tmp_path / "two.npz")
    with pytest.raises(ValueError, match="one, two, three, and no 'four'"):
        matrix(f"{tmp_path}/two.npz:four")
    with pytest.raises(ValueError, match="none of them a matrix"):
        matrix(f"{tmp_path}/two.npz:three")


def test_truth_values_take_one_byte():
    a = np.eye(8, dtype=bool)
    trace = multiply(a, a, mesh=4)
    assert (trace.attrs["dtype"], trace.C.dtype) == ("int8", np.int64)
    assert (
        trace.attrs["bytes_needed"]
        == multiply(a.astype(np.int8), a.astype(np.int8), mesh=4).attrs["bytes_needed"]
    )
    assert verify(trace)


def test_a_mask_that_hides_nothing_is_no_mask():
    assert np.array_equal(matrix(np.ma.array(A, mask=False)), A)
