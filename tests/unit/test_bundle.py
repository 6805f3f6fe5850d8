"""Score bundles: what anybody may write, what is refused and how, and that nothing is lost on the way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from stored_runs import write_run

from vadbench.api import BundleMeta, DataError, UsageError
from vadbench.store.bundle import bundle_of_run, load_bundle, save_bundle

META = {"method": "mine", "window_length": 4, "dataset": "campus", "higher_is_more_anomalous": True}
ARRAYS = {
    "clip": np.array(["a", "a", "b"]),
    "person": np.array([1, 1, 2]),
    "start": np.array([0, 1, 0]),
    "score": np.array([0.5, -2.0, 3.0]),
}


def write(folder: Path, *, arrays: dict | None = None, meta: object = None, **changed) -> Path:
    """A bundle with some arrays changed (None leaves one out)."""
    folder.mkdir(exist_ok=True)
    columns = {name: values for name, values in {**ARRAYS, **changed}.items() if values is not None} if arrays is None else arrays
    np.savez(folder / "scores.npz", **columns)
    text = meta if isinstance(meta, str) else json.dumps(META if meta is None else meta)
    (folder / "meta.json").write_text(text, encoding="utf-8")
    return folder


class TestRead:
    def test_by_folder_or_by_file(self, tmp_path):
        folder = write(tmp_path / "b")
        for path in (folder, folder / "scores.npz"):
            bundle = load_bundle(path)
            assert bundle.meta.method == "mine"
            assert bundle.scores.clip.tolist() == ["a", "a", "b"]
            assert bundle.scores.score.tolist() == [0.5, -2.0, 3.0]
            assert bundle.scores.length == 4

    def test_normality_is_read_with_the_other_sign(self, tmp_path):
        meta = {**META, "higher_is_more_anomalous": False}
        bundle = load_bundle(write(tmp_path / "b", meta=meta, term_flow=np.array([1.0, 2, 3])))
        assert bundle.scores.score.tolist() == [-0.5, 2.0, -3.0]
        assert bundle.scores.terms["flow"].tolist() == [-1, -2, -3]

    @pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "uint16"])
    def test_numbers_of_any_width(self, tmp_path, dtype):
        bundle = load_bundle(write(tmp_path / "b", score=np.array([1, 2, 3], dtype=dtype)))
        assert bundle.scores.score.dtype == np.float64
        assert bundle.scores.score.tolist() == [1, 2, 3]

    def test_scores_of_each_frame(self, tmp_path):
        assert load_bundle(write(tmp_path / "b", score=np.ones((3, 4)))).scores.score.shape == (3, 4)

    def test_names_as_bytes_and_whole_floats(self, tmp_path):
        bundle = load_bundle(write(tmp_path / "b", clip=np.array([b"a", b"a", b"b"]), start=np.array([0.0, 1, 0])))
        assert bundle.scores.clip.tolist() == ["a", "a", "b"]
        assert bundle.scores.start.dtype == np.int64

    def test_a_byte_order_mark(self, tmp_path):
        folder = write(tmp_path / "b")
        (folder / "meta.json").write_text(json.dumps(META), encoding="utf-8-sig")
        assert load_bundle(folder).meta.method == "mine"


@pytest.mark.parametrize(
    ("changed", "what", "remedy"),
    [
        ({"score": None}, "score are missing", "clip, person, start, score"),
        ({"score": None, "scores": np.ones(3)}, "unknown array 'scores'", "'score'"),
        ({"score": np.array([1.0, np.nan, 2])}, "not finite in 1 of 3 rows", "finite score"),
        ({"score": np.array([1.0, 2, np.inf])}, "not finite in 1 of 3 rows", "finite score"),
        ({"score": np.ones((3, 5))}, "score has shape (3, 5)", "window_length"),
        ({"score": np.ones(2)}, "score has shape (2,)", "window_length"),
        ({"score": np.array(["1", "2", "3"])}, "not a number", "astype(float)"),
        ({"score": np.array([1, 2, 3], dtype=object)}, "Python objects", "astype"),
        ({"clip": np.array(["a", "a", "b"], dtype=object)}, "Python objects", "astype(str)"),
        ({"clip": np.array([1, 1, 2])}, "names of clips are text", "01_0014"),
        ({"clip": np.array([b"\xff", b"a", b"b"])}, "not UTF-8", "astype(str)"),
        ({"person": np.array([1, 1])}, "person has shape (2,)", "(3,)"),
        ({"start": np.array([0, 0.5, 0])}, "start is 0.5 in row 1", "first frame"),
        ({"start": np.array([0, -1, 0])}, "starts before its clip", "from 0"),
        ({"person": np.array([1, 1, np.nan])}, "person is nan in row 2", "number of a track"),
        ({"start": np.array([0, 0, 0])}, "1 windows are there more than once", "one row"),
        ({"term_flow": np.ones(2)}, "term_flow has shape (2,)", "(3,)"),
        ({"term_flow": np.array([1, np.nan, 1])}, "term_flow is not finite", "finite"),
        ({"length": np.int64(9)}, "length is 9", "correct one"),
        ({name: values[:0] for name, values in ARRAYS.items()}, "no window", "one row"),
    ],
)
def test_what_is_refused_of_the_arrays(tmp_path, changed, what, remedy):
    with pytest.raises(DataError) as caught:
        load_bundle(write(tmp_path / "b", **changed))
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert "scores.npz" in caught.value.where


def test_the_row_of_a_fault_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        load_bundle(write(tmp_path / "b", score=np.array([1.0, 2, np.nan])))
    assert caught.value.where.endswith("row 2: clip b, person 2, start 0")
    with pytest.raises(DataError) as caught:
        load_bundle(write(tmp_path / "b", start=np.array([0, 0, 0])))
    assert "row 0 and row 1: clip a, person 1, start 0" in caught.value.where


@pytest.mark.parametrize(
    ("meta", "what", "remedy"),
    [
        ({**META, "methods": "x"}, "unknown key 'methods'", "'method'"),
        ({key: value for key, value in META.items() if key != "dataset"}, "'dataset' is missing", "higher_is_more_anomalous"),
        ({**META, "window_length": 0}, "window_length", "correct the value"),
        ({**META, "window_length": "4"}, "window_length", "correct the value"),
        ({**META, "higher_is_more_anomalous": "yes"}, "higher_is_more_anomalous", "correct the value"),
        ({**META, "track": "weakly"}, "track", "correct the value"),
        ({**META, "method": "two\nlines"}, "method", "correct the value"),
        ({**META, "method": "  "}, "method", "correct the value"),
        ({**META, "seed": -1}, "seed", "correct the value"),
        ("not json", "no JSON object", "write an object"),
        ("[1]", "no JSON object", "write an object"),
    ],
)
def test_what_is_refused_of_the_description(tmp_path, meta, what, remedy):
    with pytest.raises(DataError) as caught:
        load_bundle(write(tmp_path / "b", meta=meta))
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert "meta.json" in caught.value.where


class TestMissing:
    def test_no_file(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            load_bundle(tmp_path / "none.npz")
        with pytest.raises(DataError, match=r"no scores\.npz in this folder"):
            load_bundle(tmp_path)

    def test_no_description(self, tmp_path):
        folder = write(tmp_path / "b")
        (folder / "meta.json").unlink()
        with pytest.raises(DataError, match="description of the scores cannot be read") as caught:
            load_bundle(folder)
        assert "window_length" in caught.value.remedy

    def test_a_run_folder(self, tmp_path):
        with pytest.raises(DataError, match="run folder") as caught:
            load_bundle(write_run(tmp_path).path)
        assert "vadbench score RUN" in caught.value.remedy

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no archive at all"])
    def test_a_damaged_archive(self, tmp_path, content):
        folder = write(tmp_path / "b")
        (folder / "scores.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"scores|file|npz"):
            load_bundle(folder)

    def test_one_array_alone(self, tmp_path):
        folder = write(tmp_path / "b")
        with (folder / "scores.npz").open("wb") as stream:
            np.save(stream, np.ones(3))
        with pytest.raises(DataError, match="one array"):
            load_bundle(folder)


class TestRoundTrip:
    def test_a_run_loses_nothing(self, tmp_path):
        run = write_run(tmp_path, terms=True, seed=3)
        save_bundle(tmp_path / "b", *bundle_of_run(run))
        bundle, scores = load_bundle(tmp_path / "b"), run.scores()
        for name in ("clip", "person", "start", "score"):
            np.testing.assert_array_equal(getattr(bundle.scores, name), getattr(scores, name))
        assert set(bundle.scores.terms) == set(scores.terms) == {"semantic", "detail"}
        for name, values in scores.terms.items():
            np.testing.assert_array_equal(bundle.scores.terms[name], values)
        assert (bundle.meta.method, bundle.meta.seed, bundle.meta.dataset) == ("knn", 3, "campus")

    def test_what_is_there_is_not_replaced_unless_asked(self, tmp_path):
        made = bundle_of_run(write_run(tmp_path))
        save_bundle(tmp_path / "b", *made)
        with pytest.raises(UsageError):
            save_bundle(tmp_path / "b", *made)
        save_bundle(tmp_path / "b", *made, replace=True)

    def test_equal_scores_give_equal_bytes(self, tmp_path):
        made = bundle_of_run(write_run(tmp_path))
        for name in ("one", "two"):
            save_bundle(tmp_path / name, *made)
        for file in ("scores.npz", "meta.json"):
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()

    def test_a_description_of_other_windows(self, tmp_path):
        meta, scores = bundle_of_run(write_run(tmp_path))
        with pytest.raises(ValueError, match="window_length"):
            save_bundle(tmp_path / "b", BundleMeta(**{**meta.model_dump(), "window_length": 5}), scores)
        assert not (tmp_path / "b").exists()
