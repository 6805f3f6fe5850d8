"""Grouping, ranking and checking of stored runs, and the formats of the board."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from stored_runs import made_labels, made_scores, write_run

from vadbench.api import DriftError, UsageError
from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.intervals import Interval, auroc_interval
from vadbench.evaluation.oracles import oracles
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report import comparison_frames
from vadbench.report.comparison_frames import counted_frames, tie_groups
from vadbench.report.leaderboard import COLUMNS, board_csv, board_json, make_leaderboard
from vadbench.report.leaderboard_text import ORACLES_HEADING, STAND_IN_HEADING, blocks, markdown, terminal_table
from vadbench.report.reproduced import reproduced_rows
from vadbench.store.arrays import save_scores
from vadbench.store.folders import RECORD, SCORES, find_runs
from vadbench.store.record import LeakCheck
from vadbench.store.row_record import Spread


def rows_of(root):
    rows, left_out = reproduced_rows(find_runs(root))
    assert left_out == []
    return rows


def edit_record(run, change):
    path = run.path / RECORD
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_spread_by_hand():
    # Mean of 0.6, 0.7, 0.8; squared deviations 0.01, 0, 0.01; sample variance 0.02 / 2.
    spread = Spread.over([0.6, 0.7, 0.8])
    assert spread.mean == pytest.approx(0.7)
    assert spread.sd == pytest.approx(0.1)
    assert Spread.over([0.5]) == Spread(mean=0.5, sd=None)
    assert Spread.over([0.5, None]) == Spread(mean=None, sd=None)
    assert Spread.over([]) == Spread(mean=None, sd=None)


def test_seeds_of_one_configuration_are_one_row(tmp_path):
    a, b = write_run(tmp_path, seed=0, fit_s=1.0), write_run(tmp_path, seed=1, fit_s=4.0)
    (row,) = rows_of(tmp_path)
    x, y = a.record.metrics, b.record.metrics
    assert row.seeds == (0, 1)
    assert row.auroc.mean == pytest.approx((x.auroc + y.auroc) / 2)
    assert row.auroc.sd == pytest.approx(abs(x.auroc - y.auroc) / math.sqrt(2))
    assert row.record.auroc_raw.mean == pytest.approx((x.auroc_raw + y.auroc_raw) / 2)
    assert row.record.ap.sd == pytest.approx(abs(x.ap - y.ap) / math.sqrt(2))
    assert (row.record.cost.parameters, row.record.cost.fit_s, row.record.cost.windows_per_s, row.rank) == (1001, 2.5, 100.0, 1)


def test_a_single_seed_has_a_badge_and_no_spread(tmp_path):
    write_run(tmp_path)
    (row,) = rows_of(tmp_path)
    assert row.auroc.sd is None
    block, _ = blocks(make_leaderboard(find_runs(tmp_path)))
    assert "1 seed" in block.lines[0]
    assert "1 seed: the spread is not known" in block.note
    assert "±" not in "".join(block.lines[0])


def test_the_newest_run_of_a_seed_counts(tmp_path):
    write_run(tmp_path, run_id="aaaaaaaaaaaa", created="2026-01-01T00:00:00+00:00", skill=0.1)
    newer = write_run(tmp_path, run_id="000000000000", created="2026-02-01T00:00:00+00:00", skill=3.0)
    (row,) = rows_of(tmp_path)
    assert row.runs == (newer.path,)
    assert row.auroc.mean == pytest.approx(newer.record.metrics.auroc)


@pytest.mark.parametrize(
    "other", [{"poses": "p1"}, {"config_hash": "d0d0d0d0d0d0"}, {"changes": ("k=9",)}, {"track": "supervised"}]
)
def test_what_differs_is_another_row(tmp_path, other):
    write_run(tmp_path, seed=0)
    write_run(tmp_path, seed=1, **other)
    assert sorted(row.seeds for row in rows_of(tmp_path)) == [(0,), (1,)]


def test_rows_that_share_a_name_show_what_tells_them_apart(tmp_path):
    write_run(tmp_path, seed=0)
    write_run(tmp_path, seed=1, poses="p1")
    block, _ = blocks(make_leaderboard(find_runs(tmp_path)))
    assert block.columns[-2:] == ("config", "data")
    assert len({line[-1] for line in block.lines}) == 2
    assert "different poses or labels" in block.note


def test_other_labels_are_another_row_and_another_ranking(tmp_path):
    write_run(tmp_path, method="a", skill=0.5)
    write_run(tmp_path, method="b", skill=3.0, labels=made_labels(leave_out=(0, 5)))
    assert [row.rank for row in rows_of(tmp_path)] == [1, 1]


def test_other_test_poses_are_another_ranking(tmp_path):
    write_run(tmp_path, method="a", skill=0.5)
    write_run(tmp_path, method="b", skill=3.0, poses="p1")
    assert [row.rank for row in rows_of(tmp_path)] == [1, 1]
    block, _ = blocks(make_leaderboard(find_runs(tmp_path)))
    assert block.columns[-1] == "data"
    assert "ranks hold among equal test data only" in block.note


def test_the_other_family_of_poses_is_another_block(tmp_path):
    write_run(tmp_path, method="a", skill=0.5)
    write_run(tmp_path, method="b", skill=3.0, poses="p1", dataset_settings={"family": "csv", "root": "/data"})
    board = make_leaderboard(find_runs(tmp_path))
    assert [block.heading for block in blocks(board)] == [
        "campus, one-class, standard-v1",
        "campus [family=csv], one-class, standard-v1",
        ORACLES_HEADING,
    ]
    assert [(row.dataset, row.dataset_settings, row.rank) for row in board.reproduced] == [
        ("campus", "", 1),
        ("campus", "family=csv", 1),
    ]


def test_ranks_stay_within_data_set_and_track(tmp_path):
    write_run(tmp_path, method="weak", skill=0.2)
    write_run(tmp_path, method="strong", skill=3.0)
    write_run(tmp_path, method="taught", skill=2.0, track="supervised")
    write_run(tmp_path, method="weak", dataset="alley", skill=0.2)
    write_run(tmp_path, method="blind", labels=made_labels({"01_01": (), "01_02": (), "02_01": ()}))
    found = [(row.dataset, row.track, row.method, row.rank) for row in rows_of(tmp_path)]
    assert found[0] == ("alley", "one-class", "weak", 1)
    assert found[-1] == ("campus", "supervised", "taught", 1)
    assert [each for each in found if each[2] in ("strong", "weak")][1:] == [
        ("campus", "one-class", "strong", 1),
        ("campus", "one-class", "weak", 2),
    ]
    assert ("campus", "one-class", "blind", None) in found


def test_equal_scores_share_a_rank(tmp_path):
    for method, skill in (("a", 2.0), ("b", 2.0), ("c", 0.2)):
        write_run(tmp_path, method=method, skill=skill)
    assert [row.rank for row in rows_of(tmp_path)] == [1, 1, 3]


def test_stand_in_data_come_last_without_a_rank(tmp_path):
    write_run(tmp_path, dataset="a-stand-in", stand_in=True, skill=3.0)
    write_run(tmp_path, dataset="campus")
    board = make_leaderboard(find_runs(tmp_path))
    assert [row.dataset for row in board.reproduced] == ["campus"]
    assert [(row.dataset, row.rank) for row in board.stand_ins] == [("a-stand-in", None)]
    *_, last, _ = blocks(board)
    assert last.heading == f"{STAND_IN_HEADING}: a-stand-in, one-class, standard-v1"
    assert "rank" not in last.columns
    content = json.loads(board_json(board))
    assert [row["dataset"] for row in content["stand_in"]] == ["a-stand-in"]


def on_twelve_clips(root, method, *, skill, **more):
    """A run on enough clips for intervals to be narrow."""
    abnormal = {f"{i % 3:02d}_{i:02d}": ((10, 10 + 3 * i),) if i % 4 else () for i in range(12)}
    labels = made_labels(abnormal)
    scores = made_scores(labels, seed=sum(map(ord, method)), skill=skill, persons=dict.fromkeys(abnormal, (1, 2)))
    return write_run(root, method=method, labels=labels, scores=scores, **more)


def test_every_row_has_the_interval_of_its_mean_over_seeds(tmp_path):
    a, b = on_twelve_clips(tmp_path, "knn", skill=0.3), on_twelve_clips(tmp_path, "knn", skill=0.5, seed=1)
    on_twelve_clips(tmp_path, "knn", skill=0.4, dataset="play", stand_in=True)
    row, stand_in = rows_of(tmp_path)
    pairs = [counted_frames(run, STANDARD_V1.on("campus")).pairs() for run in (a, b)]
    expected = auroc_interval(over_seeds(pairs))
    assert row.record.interval == (expected.low, expected.high)
    assert row.record.interval[0] < row.auroc.mean < row.record.interval[1]
    assert stand_in.record.interval is not None
    assert (stand_in.tie, stand_in.rank) == (None, None)
    board = make_leaderboard(find_runs(tmp_path))
    ranked, last, _ = blocks(board)
    low, high = (f"{100 * end:.1f}" for end in row.record.interval)
    assert f"[{low}, {high}]" in ranked.lines[0]
    assert "95 % interval" in last.columns
    assert "tie" not in last.columns
    content = json.loads(board_json(board))["reproduced"][0]
    assert content["auroc_low"] == pytest.approx(100 * expected.low, abs=1e-5)
    table = pd.read_csv(io.StringIO(board_csv(board)))
    assert table["auroc_high"][0] == pytest.approx(100 * expected.high, abs=1e-5)
    assert table["tie"][0] == "a"


def test_one_class_has_no_interval(tmp_path):
    write_run(tmp_path, labels=made_labels({"01_01": (), "01_02": (), "02_01": ()}))
    (row,) = rows_of(tmp_path)
    assert (row.record.interval, row.tie) == (None, None)
    block, _ = blocks(make_leaderboard(find_runs(tmp_path)))
    assert block.lines[0][block.columns.index("95 % interval")] == "n/a"


def test_rows_that_the_clips_do_not_tell_from_the_leader_share_its_letter(tmp_path):
    for method, skill in (("best", 1.2), ("good", 1.15), ("weak", 0.1), ("feeble", 0.1)):
        on_twelve_clips(tmp_path, method, skill=skill)
    rows = rows_of(tmp_path)
    assert {row.method: row.tie for row in rows} == {"best": "a", "good": "a", "weak": "b", "feeble": "b"}
    assert [row.rank for row in rows] == [1, 2, 3, 4]
    block, _ = blocks(make_leaderboard(find_runs(tmp_path)))
    assert [line[block.columns.index("tie")] for line in block.lines] == ["a", "a", "b", "b"]
    assert "tie: " in block.note


def test_tie_groups_go_by_the_leader_of_each_group(monkeypatch):
    # On a line: two rows are told apart when they are more than 10 away from each other.
    def told(a, b):
        return Interval(a - b - 10, a - b + 10, 0.95, "percentile", 100, 0)

    monkeypatch.setattr(comparison_frames, "difference_interval", told)
    assert tie_groups([50, 45, 41, 39, 35, 28, 10]) == ["a", "a", "a", "b", "b", "c", "d"]
    assert tie_groups([]) == []
    assert tie_groups(list(range(1100, 0, -40)))[-3:] == ["z", "aa", "ab"]


def test_rows_on_other_data_are_not_compared(tmp_path):
    on_twelve_clips(tmp_path, "a", skill=1.2)
    on_twelve_clips(tmp_path, "b", skill=0.1, poses="p1")
    assert [row.tie for row in rows_of(tmp_path)] == ["a", "a"]


def test_a_transductive_row_is_shown_and_not_ranked(tmp_path):
    on_twelve_clips(tmp_path, "honest", skill=0.4)
    leaky = on_twelve_clips(tmp_path, "leaky", skill=1.5)
    check = LeakCheck(
        date="2026-01-01T00:00:00+00:00",
        vadbench="0",
        clips=12,
        clips_of=12,
        windows=9,
        tolerance=1e-4,
        transductive=True,
        adapts=False,
        draws=False,
        largest_difference=1.0,
        largest_relative=1.0,
        windows_differ=9,
        rank_correlation=None,
        reproduced=True,
        largest_from_stored=0.0,
    )
    edit_record(leaky, lambda record: record.update(leak_check=check.model_dump()))
    rows = {row.method: row for row in rows_of(tmp_path)}
    assert (rows["leaky"].rank, rows["leaky"].tie, rows["leaky"].record.transductive) == (None, None, True)
    assert (rows["honest"].rank, rows["honest"].tie, rows["honest"].record.transductive) == (1, "a", False)
    board = make_leaderboard(find_runs(tmp_path))
    assert "leaky (transductive)" in markdown(blocks(board))
    assert "not ranked" in blocks(board)[0].note
    assert [row["transductive"] for row in json.loads(board_json(board))["reproduced"]] == [True, False]


def test_a_tampered_figure_is_left_out_and_named(tmp_path):
    run = write_run(tmp_path)
    good = write_run(tmp_path, seed=1)
    edit_record(run, lambda record: record["metrics"].update(auroc=record["metrics"]["auroc"] + 2e-6))
    rows, left_out = reproduced_rows(find_runs(tmp_path))
    assert [row.runs for row in rows] == [(good.path,)]
    (error,) = left_out
    assert isinstance(error, DriftError)
    assert str(run.path) in error.where


def test_a_figure_within_the_tolerance_passes(tmp_path):
    run = write_run(tmp_path)
    edit_record(run, lambda record: record["metrics"].update(auroc=record["metrics"]["auroc"] + 5e-7))
    (row,) = rows_of(tmp_path)
    assert row.auroc.mean == pytest.approx(run.record.metrics.auroc, abs=1e-12)


def test_a_null_where_there_is_a_figure_is_drift(tmp_path):
    edit_record(write_run(tmp_path), lambda record: record["metrics"].update(ap=None))
    rows, (error,) = reproduced_rows(find_runs(tmp_path))
    assert rows == []
    assert isinstance(error, DriftError)


def test_tampered_scores_are_left_out_even_with_a_matching_digest(tmp_path):
    from vadbench.store.folders import file_digest

    run = write_run(tmp_path)
    save_scores(run.path / SCORES, made_scores(made_labels(), skill=9.0))
    _, (error,) = reproduced_rows(find_runs(tmp_path))
    assert isinstance(error, DriftError)
    assert "scores.npz has changed" in error.what
    edit_record(run, lambda record: record["files"].update({SCORES: file_digest(run.path / SCORES)}))
    _, (error,) = reproduced_rows(find_runs(tmp_path))
    assert "the stored scores give" in error.what


def test_an_older_sound_run_stands_in_for_a_drifted_one(tmp_path):
    old = write_run(tmp_path, run_id="aaaaaaaaaaaa")
    new = write_run(tmp_path, run_id="bbbbbbbbbbbb", created="2026-03-01T00:00:00+00:00")
    edit_record(new, lambda record: record["metrics"].update(auroc=0.99))
    rows, left_out = reproduced_rows(find_runs(tmp_path))
    assert [row.runs for row in rows] == [(old.path,)]
    assert len(left_out) == 1


def test_an_unknown_or_changed_protocol_is_left_out(tmp_path):
    edit_record(write_run(tmp_path, seed=0), lambda record: record.update(protocol="standard-v0"))
    edit_record(write_run(tmp_path, seed=1), lambda record: record.update(protocol_digest="0" * 12))
    rows, left_out = reproduced_rows(find_runs(tmp_path))
    assert rows == []
    assert all(error.where for error in left_out)
    assert {type(error) for error in left_out} == {UsageError, DriftError}


def test_published_figures_never_stand_in_the_reproduced_column(tmp_path):
    write_run(tmp_path, dataset="hr-shanghaitech")
    board = make_leaderboard(find_runs(tmp_path), published=True)
    table = pd.read_csv(io.StringIO(board_csv(board)))
    assert list(table.columns) == list(COLUMNS)
    assert set(table["kind"]) == {"reproduced", "oracle", "published"}
    assert table.loc[table["kind"] == "published", "auroc_reproduced"].isna().all()
    assert table.loc[table["kind"] == "reproduced", "auroc_published"].isna().all()
    assert table.loc[table["kind"] != "oracle", "auroc_oracle"].isna().all()
    assert (table[["auroc_reproduced", "auroc_oracle", "auroc_published"]].notna().sum(axis=1) == 1).all()
    content = json.loads(board_json(board))
    assert not any("auroc_published" in row for row in content["reproduced"])
    assert not any("auroc_reproduced" in row for row in content["published"])
    for block in blocks(board):
        assert len({"AUROC", "AUROC published", "AUROC of the labels"} & set(block.columns)) == 1


def test_csv_and_json_hold_the_same_figures(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, seed=seed)
    write_run(tmp_path, dataset="play", stand_in=True)
    board = make_leaderboard(find_runs(tmp_path))
    table = pd.read_csv(io.StringIO(board_csv(board)), dtype={"seeds": str, "rank": str})
    content = json.loads(board_json(board))
    rows = content["reproduced"] + content["stand_in"]
    np.testing.assert_allclose(table["auroc_reproduced"].dropna(), [row["auroc_reproduced"] for row in rows])
    np.testing.assert_allclose(table["auroc_oracle"].dropna(), [row["auroc_oracle"] for row in content["oracles"]])
    assert table["seeds"].dropna().tolist() == ["0 1", "0"]
    assert table["rank"].tolist()[0] == "1"
    assert "published" not in content
    assert board_csv(board) == board_csv(make_leaderboard(find_runs(tmp_path)))


def test_data_sets_are_chosen_by_name(tmp_path):
    write_run(tmp_path, dataset="campus")
    write_run(tmp_path, dataset="alley")
    board = make_leaderboard(find_runs(tmp_path), datasets=("Campus", "hr-ubnormal"), published=True)
    assert [row.dataset for row in board.reproduced] == ["campus"]
    assert {row.dataset for row in board.published} == {"HR-UBnormal"}
    with pytest.raises(UsageError, match="did you mean 'campus'"):
        make_leaderboard(find_runs(tmp_path), datasets=("campsu",))


def test_markdown_escapes_what_would_break_a_table(tmp_path):
    write_run(tmp_path, changes=("a|b",))
    text = markdown(blocks(make_leaderboard(find_runs(tmp_path)))[:1])
    assert "knn \\[a\\|b]" in text
    widths = {line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1


@pytest.mark.parametrize("width", [70, 80, 120, 160])
def test_a_narrow_terminal_loses_costs_and_no_digit(tmp_path, width):
    for seed in (0, 1):
        write_run(tmp_path, seed=seed, method="msgflow", changes=("tokenizer=fsq", "tokenizer.codebook_size=1024"))
    block, _ = blocks(make_leaderboard(find_runs(tmp_path)))
    console = Console(width=width, file=io.StringIO())
    console.print(terminal_table(block, width))
    text = console.file.getvalue()
    auroc = block.lines[0][block.columns.index("AUROC")]
    assert "…" not in text
    assert auroc in text
    assert "msgflow" in text
    assert ("Too narrow for: " in text) == (width <= 80)


def test_an_empty_board_is_empty_in_every_format():
    board = make_leaderboard([])
    kinds = {name: [] for name in ("reproduced", "scores_only", "stand_in", "oracles", "left_out")}
    assert json.loads(board_json(board)) == {"unit": "percent", **kinds}
    assert board_csv(board) == ",".join(COLUMNS) + "\n"
    assert markdown(blocks(board)) == ""


def test_oracles_are_those_of_the_analysis_once_a_state_of_the_labels(tmp_path):
    for method, track in (("a", "one-class"), ("b", "one-class"), ("c", "supervised")):
        write_run(tmp_path, method=method, track=track)
    write_run(tmp_path, dataset="play", stand_in=True)
    whole, cut = made_labels(), made_labels(leave_out=(0, 5))
    write_run(tmp_path, method="d", labels=cut)
    board = make_leaderboard(find_runs(tmp_path))
    prints = {labels.fingerprint()[:12]: labels for labels in (whole, cut)}
    found = [(row.dataset, row.oracle, row.stand_in) for row in board.oracles if prints[row.labels] is whole]
    assert found == [
        *(("campus", "clip-level", False), ("campus", "clip-share", False)),
        *(("play", "clip-level", True), ("play", "clip-share", True)),
    ]
    assert len(board.oracles) == 6
    for row in board.oracles:
        expected = oracles(prints[row.labels])
        assert row.auroc == pytest.approx({"clip-level": expected.clip_level, "clip-share": expected.clip_share}[row.oracle])
    assert oracles(whole).clip_share != oracles(cut).clip_share
    assert "labels" in blocks(board)[-1].columns


def test_oracles_are_no_rows_in_any_format(tmp_path):
    write_run(tmp_path, skill=0.1)
    board = make_leaderboard(find_runs(tmp_path))
    rows, known = blocks(board)
    assert known.heading == ORACLES_HEADING
    assert "oracle" not in str(rows.lines)
    assert {"rank", "AUROC", "method", "track"} & set(known.columns) == set()
    console = Console(width=120, file=io.StringIO())
    console.print(terminal_table(known, 120))
    assert "clip-share" in console.file.getvalue()
    table = pd.read_csv(io.StringIO(board_csv(board)))
    said = table[table["kind"] == "oracle"]
    assert said["method"].tolist() == ["clip-level", "clip-share"]
    assert said[["rank", "tie", "track", "seeds", "auroc_reproduced", "auroc_published"]].isna().all(axis=None)
    assert said["auroc_oracle"].tolist() == pytest.approx([100 * row.auroc for row in board.oracles], abs=1e-5)
    content = json.loads(board_json(board))
    assert [row["oracle"] for row in content["oracles"]] == ["clip-level", "clip-share"]
    assert len(content["reproduced"]) == 1


def test_oracles_of_one_class_have_no_figure(tmp_path):
    write_run(tmp_path, labels=made_labels({"01_01": (), "01_02": (), "02_01": ()}))
    board = make_leaderboard(find_runs(tmp_path))
    assert [row.auroc for row in board.oracles] == [None, None]
    assert [row["auroc_oracle"] for row in json.loads(board_json(board))["oracles"]] == [None, None]
    assert "n/a" in str(blocks(board)[-1].lines)


def test_stand_in_data_of_several_tracks_have_a_table_each(tmp_path):
    for track in ("supervised", "one-class", "zero-shot"):
        write_run(tmp_path, method=track, track=track, stand_in=True)
    board = make_leaderboard(find_runs(tmp_path))
    assert [block.heading for block in blocks(board)[:-1]] == [
        f"{STAND_IN_HEADING}: campus, {track}, standard-v1" for track in ("one-class", "supervised", "zero-shot")
    ]


def test_three_tracks_are_ranked_apart(tmp_path):
    tracks = ("one-class", "supervised", "zero-shot")
    for place, track in enumerate(tracks):
        for name, skill in (("worse", 0.2), ("better", 1.0 + place)):
            write_run(tmp_path, method=f"{name}-{track}", track=track, skill=skill)
    board = make_leaderboard(find_runs(tmp_path))
    assert {row.method: row.rank for row in board.reproduced} == {
        f"{name}-{track}": rank for track in tracks for rank, name in enumerate(("better", "worse"), start=1)
    }
    for block, track in zip(blocks(board)[:-1], tracks, strict=True):
        assert block.heading == f"campus, {track}, standard-v1"
        assert [line[block.columns.index("method")] for line in block.lines] == [f"better-{track}", f"worse-{track}"]
        assert [line[0] for line in block.lines] == ["1", "2"]
