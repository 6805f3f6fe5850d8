"""Rows of scores only: what they may say, where they stand, and that they take no rank from rows that can be made again."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from pydantic import ValidationError
from stored_runs import made_labels, made_scores, write_run

from vadbench.api import BundleMeta, DatasetInfo, UsageError
from vadbench.engine.config import digest_of
from vadbench.engine.plugins import load_plugins
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.leaderboard import COLUMNS, board_csv, board_json, leaderboard_of_records, make_leaderboard
from vadbench.report.leaderboard_text import blocks, markdown
from vadbench.report.oracle_rows import oracle_rows
from vadbench.report.reproduced import rows_of_records
from vadbench.report.rescoring_entrants import truth_of_run
from vadbench.report.row_command import command_of_row
from vadbench.report.row_files import open_row, row_name, row_text, table_text
from vadbench.report.scores_only import scores_only_row
from vadbench.store.arrays import save_scores
from vadbench.store.bundle import load_bundle
from vadbench.store.folders import find_runs
from vadbench.store.row_record import RowRecord

INFO = DatasetInfo(
    name="campus", title="campus", layout="coco-17", frame_rate=24.0, licence="", citation="", source="", stand_in=False
)


def reproduced(folder, **skills):
    """Records of stored runs, one a method."""
    for method, skill in skills.items():
        config = {"detector": {"name": method}}
        write_run(folder / "runs", method=method, skill=skill, config=config, config_hash=digest_of(config))
    return [row.record for row in make_leaderboard(find_runs(folder / "runs")).reproduced]


def sent_in(folder, *, skill, method="Theirs", track="one-class", info=INFO, labels=None, seeds=(0, 1)):
    """The record of scores only."""
    labels = made_labels() if labels is None else labels
    run = write_run(folder / "truth", method="any", labels=labels, scores=made_scores(labels))
    bundles = []
    for seed in seeds:
        place = folder / f"{method}-{track}-{seed}"
        place.mkdir(exist_ok=True)
        scores = made_scores(labels, seed=seed, skill=skill)
        save_scores(place / "scores.npz", scores)
        meta = BundleMeta(
            method=method, window_length=scores.length, dataset="campus", higher_is_more_anomalous=True, seed=seed, track=track
        )
        (place / "meta.json").write_text(meta.model_dump_json())
        bundles.append(load_bundle(place))
    return scores_only_row(
        bundles, replace(truth_of_run(run), frame_rate=24.0), info, {"family": "csv", "root": "x"}, STANDARD_V1
    )


@pytest.fixture
def ours(tmp_path):
    """Rows of campus without settings, best first."""
    return reproduced(tmp_path, strong=3.0, middle=1.0, weak=0.2)


@pytest.fixture
def theirs(tmp_path):
    """Between strong and middle, on the same labels."""
    record = sent_in(tmp_path, skill=2.0)
    return record.model_copy(update={"dataset": record.dataset.model_copy(update={"settings": {}})})


def test_says_what_is_known_and_null_for_the_rest(tmp_path):
    record = sent_in(tmp_path, skill=2.0)
    assert record.kind == "scores-only"
    assert [result.seed for result in record.seeds] == [0, 1]
    assert record.auroc.sd is not None
    assert record.dataset.settings == {"family": "csv"}
    assert record.dataset.labels == made_labels().fingerprint()
    unknown = (record.cost, record.environment, record.transductive, record.method.config, record.method.config_hash)
    assert unknown == (None,) * 5
    assert {result.cost for result in record.seeds} == {None}
    path = tmp_path / "row.json"
    path.write_text(row_text(record))
    assert open_row(path) == record


def test_its_figures_are_those_of_a_run_with_the_same_scores(tmp_path, theirs):
    labels = made_labels()
    config = {"detector": {"name": "knn"}}
    for seed in (0, 1):
        scores = made_scores(labels, seed=seed, skill=2.0)
        write_run(tmp_path / "same", seed=seed, scores=scores, config=config, config_hash=digest_of(config))
    (row,) = make_leaderboard(find_runs(tmp_path / "same")).reproduced
    for name in ("auroc", "auroc_raw", "ap", "interval", "oracles"):
        assert getattr(theirs, name) == getattr(row.record, name)


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ({"cost": {"parameters": 1, "fit_s": 1, "score_s": 1, "windows_per_s": 1, "peak_rss_mb": 1}}, "does not say cost"),
        ({"transductive": False}, "does not say transductive"),
        ({"kind": "reproduced"}, "a reproduced row says method.config, method.config_hash, cost, seeds.0.cost"),
    ],
)
def test_each_kind_has_what_it_has(theirs, update, said):
    with pytest.raises(ValidationError, match=said):
        RowRecord.model_validate_json(json.dumps({**json.loads(row_text(theirs)), **update}))


def test_it_takes_no_rank_and_has_its_place_told(ours, theirs):
    alone = {row.method: row.rank for row in rows_of_records(ours)}
    together = rows_of_records([*ours, theirs])
    assert {row.method: row.rank for row in together if not row.scores_only} == alone == {"strong": 1, "middle": 2, "weak": 3}
    (row,) = (row for row in together if row.scores_only)
    assert (row.rank, row.tie, row.place) == (None, None, 2)
    assert together[-1] is row


def test_no_place_on_other_labels_in_another_track_or_on_stand_in_data(tmp_path, ours, theirs):
    others = made_labels(leave_out=(0, 5))
    elsewhere = sent_in(tmp_path / "other", skill=0.0, labels=others)
    elsewhere = elsewhere.model_copy(update={"dataset": elsewhere.dataset.model_copy(update={"settings": {}})})
    zero_shot = theirs.model_copy(update={"method": theirs.method.model_copy(update={"track": "zero-shot"})})
    play = theirs.model_copy(update={"dataset": theirs.dataset.model_copy(update={"stand_in": True})})
    for record, place in ((elsewhere, 1), (zero_shot, 1), (play, None)):
        (row,) = (row for row in rows_of_records([*ours, record]) if row.scores_only)
        assert row.place == place


def test_in_the_table_it_stands_below_and_is_marked(ours, theirs):
    (block, *_) = blocks(leaderboard_of_records([theirs, *ours]))
    at = block.columns.index("method")
    assert [line[at] for line in block.lines] == ["strong", "middle", "weak", "Theirs (scores only)"]
    assert [line[0] for line in block.lines] == ["1", "2", "3", "(2)"]
    assert block.lines[-1][-4:] == ("n/a",) * 4
    assert "takes no rank from others" in block.note
    assert "different poses" not in block.note
    (block, *_) = blocks(leaderboard_of_records(ours))
    assert "scores only" not in markdown([block])


def test_json_and_csv_say_what_it_is(ours, theirs):
    board = leaderboard_of_records([*ours, theirs])
    content = json.loads(board_json(board))
    assert [row["kind"] for row in content["reproduced"]] == ["reproduced"] * 3
    (row,) = content["scores_only"]
    assert (row["kind"], row["rank"], row["place"], row["parameters"], row["config_hash"]) == ("scores-only", None, 2, None, None)
    lines = list(csv.DictReader(io.StringIO(board_csv(board))))
    assert tuple(lines[0]) == COLUMNS
    assert [line["kind"] for line in lines][:4] == ["reproduced"] * 3 + ["scores-only"]
    play = theirs.model_copy(update={"dataset": theirs.dataset.model_copy(update={"stand_in": True})})
    lines = list(csv.DictReader(io.StringIO(board_csv(leaderboard_of_records([play])))))
    assert lines[0]["kind"] == "stand-in scores-only"
    assert json.loads(board_json(leaderboard_of_records([play])))["scores_only"] == []


def test_oracles_are_those_of_its_labels(ours, theirs):
    assert len(oracle_rows([*ours, theirs])) == len(oracle_rows(ours)) == 2


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("Their Net (v2)", "campus/their-net-v2-66679687-scores-only"),
        ("knn", "campus/knn-scores-only"),
        ("../../x", "campus/x-9cdf6a50-scores-only"),
        ("网", "campus/method-ecc6e001-scores-only"),
        ("Their Net", "campus/their-net-scores-only"),
    ],
)
def test_its_name_leads_nowhere_else(theirs, method, name):
    assert row_name(theirs.model_copy(update={"method": theirs.method.model_copy(update={"name": method})})) == name


def test_the_page_says_that_nobody_knows_where_it_was_made(ours, theirs):
    text = table_text("campus", {row_name(record): record for record in [*ours, theirs]})
    assert "- `campus/theirs-scores-only`: Theirs, scores only" in text
    assert "- theirs-scores-only: not known, scores only" in text
    assert "`vadbench reproduce campus/middle` makes" in text


def test_no_command_makes_it(theirs, tmp_path):
    with pytest.raises(UsageError, match="is a row of scores only: no command makes it again") as caught:
        command_of_row(theirs, load_plugins().registry, out=tmp_path)
    assert "vadbench submit check" in caught.value.remedy
