"""The table that a run ends with."""

from __future__ import annotations

import io
import json

import numpy as np
from rich.console import Console
from stored_runs import FRAMES, LENGTH, made_labels, made_scores, write_run

from vadbench.report.run_table import run_table
from vadbench.store.folders import RECORD, open_run


def printed(*runs, width=100):
    console = Console(width=width, file=io.StringIO())
    console.print(run_table(runs))
    return console.file.getvalue()


def test_figures_are_percent_with_one_decimal(tmp_path):
    run = write_run(tmp_path, seed=3)
    text = printed(run)
    line = next(line for line in text.splitlines() if line.strip().startswith("knn"))
    metrics = run.record.metrics
    expected = [f"{100 * value:.1f}" for value in (metrics.auroc, metrics.auroc_raw, metrics.ap)]
    assert line.split() == ["knn", "campus", "3", *expected, "2.5", "1,003"]
    assert "Protocol standard-v1" in text
    assert "percent" in text


def test_caption_shows_coverage_once_a_data_set(tmp_path):
    runs = [write_run(tmp_path, seed=seed) for seed in (0, 1)]
    text = printed(*runs)
    share = 100 * (FRAMES - LENGTH + 1) / FRAMES
    assert text.count(f"windows score {share:.1f} % of the frames, 100.0 % of the abnormal ones") == 1


def test_windows_of_other_lengths_score_other_frames(tmp_path):
    runs = [write_run(tmp_path, seed=seed, config={"windows": {"length": length}}) for seed, length in enumerate((8, 24))]
    assert [printed(*runs).count(f"windows of {length} frames score") for length in (8, 24)] == [1, 1]


def test_each_term_alone_has_its_own_line(tmp_path):
    run = write_run(tmp_path, terms=True)
    text = printed(run)
    assert "each term of the score taken alone" in text
    for name, metrics in run.record.terms.items():
        line = next(line for line in text.splitlines() if line.startswith(f"   {name}"))
        assert f"{100 * metrics.auroc:.1f}" in line


def test_stand_in_data_are_called_so(tmp_path):
    assert "stand-in data, not a result" in printed(write_run(tmp_path, stand_in=True))
    assert "stand-in" not in printed(write_run(tmp_path / "real"))


def test_one_class_is_said_not_guessed(tmp_path):
    labels = made_labels({"01_01": (), "01_02": (), "02_01": ()})
    text = printed(write_run(tmp_path, labels=labels))
    assert "n/a: only one class" in text


def test_labels_with_brackets_are_not_markup(tmp_path):
    assert "knn [bold]" in printed(write_run(tmp_path, changes=("bold",)))


def test_a_tampered_record_shows_no_figure(tmp_path):
    run = write_run(tmp_path)
    record = json.loads((run.path / RECORD).read_text())
    record["metrics"]["auroc"] = 0.999
    (run.path / RECORD).write_text(json.dumps(record))
    text = printed(open_run(run.path), width=200)
    assert "drifted" in text
    assert "99.9" not in text
    assert "the recorded auroc is 0.999" in text


def test_scores_given_frame_by_frame_are_tabulated(tmp_path):
    labels = made_labels()
    windows = made_scores(labels)
    scores = type(windows)(windows.clip, windows.person, windows.start, np.repeat(windows.score[:, None], LENGTH, axis=1), LENGTH)
    run = write_run(tmp_path, labels=labels, scores=scores)
    assert f"{100 * run.record.metrics.auroc:.1f}" in printed(run)


def test_fits_eighty_columns(tmp_path):
    run = write_run(tmp_path, dataset="hr-shanghaitech", method="msgflow", terms=True)
    text = printed(run, width=80)
    assert "hr-shanghaitech" in text
    assert "semantic" in text
    assert "parameters" in text
    assert "…" not in text
