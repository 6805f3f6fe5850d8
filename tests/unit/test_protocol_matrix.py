"""The matrix of methods and protocols: seeds brought together, ranks, and how they move."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau
from stored_runs import made_labels, made_scores, write_run

from vadbench.api import UsageError
from vadbench.evaluation.protocol import Pipeline, Protocol
from vadbench.evaluation.published_protocols import PROTOCOLS, STANDARD_V1, protocol_named
from vadbench.report.matrix_figure import draw_matrix
from vadbench.report.protocol_matrix import make_matrix, ranked, tau
from vadbench.report.rescoring import Rescoring
from vadbench.report.score_table import matrix_notes

means = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8)


@pytest.fixture
def board(tmp_path):
    """Three methods, one with two seeds, under all protocols."""
    rescoring = Rescoring(list(PROTOCOLS.values()))
    rescoring.add_runs(
        write_run(tmp_path, method=method, skill=skill, seed=seed, config_hash=method * 3)
        for method, skill, seeds in (("high", 3.0, (0,)), ("low", 0.2, (0,)), ("mid", 1.0, (0, 1)))
        for seed in seeds
    )
    (found,) = rescoring.boards()
    return found


class TestRanks:
    @given(means)
    def test_are_one_more_than_the_number_of_better_ones(self, values):
        for mean, rank in zip(values, ranked(values), strict=True):
            assert rank == (None if mean is None else 1 + sum(v is not None and v > mean for v in values))

    def test_equals_share_the_better_place(self):
        assert ranked([0.5, 0.9, 0.5, None, 0.1]) == [2, 1, 2, None, 4]

    def test_tau_is_scipys_over_what_both_have(self):
        assert (
            tau([0.1, 0.2, None, 0.4, 0.3], [0.3, 0.1, 0.9, 0.4, None]) == kendalltau([0.1, 0.2, 0.4], [0.3, 0.1, 0.4]).statistic
        )

    @pytest.mark.parametrize("values", [[], [0.1, 0.2], [0.5, 0.5, 0.5], [None, None, 0.1]])
    def test_of_too_few_or_equal_there_is_no_tau(self, values):
        assert tau(values, values) is None


class TestMatrix:
    def test_rows_by_the_standard(self, board):
        matrix = make_matrix(board, list(PROTOCOLS.values()))
        assert matrix.labels == ("high", "mid", "low")
        assert [ranks[matrix.reference] for ranks in matrix.ranks] == [1, 2, 3]
        assert matrix.columns[matrix.reference].tau is None
        by_column = [[line[j].mean for line in matrix.aurocs] for j in range(len(matrix.columns))]
        for j, column in enumerate(matrix.columns):
            if j != matrix.reference:
                assert column.tau == tau(by_column[matrix.reference], by_column[j])
        assert sum(column.tau is not None for column in matrix.columns) >= len(PROTOCOLS) - 3

    def test_seeds_are_averaged(self, board):
        (row,) = (row for row in board.rows if row.method == "mid")
        spread = row.auroc("coskad")
        one, two = (each.cells["coskad"].auroc for each in row.scored)
        assert spread.mean == pytest.approx((one + two) / 2)
        assert spread.sd == pytest.approx(abs(one - two) / 2**0.5)

    def test_other_protocols_give_other_figures(self, board):
        row = board.rows[0]
        # Without its two terms, sparta is the standard.
        assert row.auroc("sparta") == row.auroc("standard-v1")
        assert len({row.auroc(name).mean for name in PROTOCOLS}) >= len(PROTOCOLS) - 2

    def test_values_that_nobody_published_are_marked(self, board):
        matrix = make_matrix(board, list(PROTOCOLS.values()))
        assert [column.protocol.name for column in matrix.columns if not column.published] == ["mocodad"]
        assert any("mocodad" in note and "campus" in note for note in matrix_notes(matrix))

    def test_of_a_protocol_of_ones_own_no_values_are_said_to_stand_in(self, tmp_path):
        mine = replace(protocol_named("mocodad"), name="mine")
        rescoring = Rescoring([mine])
        rescoring.add_runs([write_run(tmp_path)])
        (found,) = rescoring.boards()
        matrix = make_matrix(found, [mine])
        assert matrix.columns[0].published
        assert not any("stand in" in note for note in matrix_notes(matrix))

    def test_what_has_to_be_known_of_protocols_is_said_below(self, board):
        notes = matrix_notes(make_matrix(board, list(PROTOCOLS.values())))
        for name, note in ((each.name, note) for each in PROTOCOLS.values() for note in each.notes):
            assert f"{name}: {note}" in notes
        assert any(note.startswith("sparta: no terms current and future in") for note in notes)

    def test_the_figure_has_every_cell(self, board):
        figure = draw_matrix([make_matrix(board, list(PROTOCOLS.values()))])
        texts = [text.get_text() for axes in figure.get_axes() for text in axes.texts]
        assert sum("(1)" in text for text in texts) >= len(PROTOCOLS)


class TestRescoring:
    def test_what_was_done_to_the_scores_is_told(self, board):
        cells = board.rows[0].scored[0].cells
        assert cells["mocodad"].raised_by > 0
        assert any("raised by" in note for note in cells["mocodad"].notes)
        assert cells["gepc"].raised_by == 0
        assert any("no terms current and future" in note for note in cells["sparta"].notes)

    def test_a_protocol_that_cannot_take_the_scores_gives_no_figure_and_says_why(self, tmp_path):
        raw = Protocol("raw", 1, replace(protocol_named("mocodad").pipeline, origin="as-is"), "")
        rescoring = Rescoring([STANDARD_V1, raw])
        rescoring.add_runs([write_run(tmp_path)])
        ((row,),) = (board.rows for board in rescoring.boards())
        cell = row.scored[0].cells["raw"]
        assert cell.auroc is None
        assert "-1 or less" in cell.problem
        assert row.scored[0].cells["standard-v1"].auroc is not None

    def test_of_one_configuration_and_seed_the_newest_counts(self, tmp_path):
        old = write_run(tmp_path, run_id="a" * 12, created="2026-01-01T00:00:00+00:00", skill=0.1)
        new = write_run(tmp_path, run_id="b" * 12, created="2026-02-01T00:00:00+00:00", skill=2.0)
        rescoring = Rescoring([STANDARD_V1])
        rescoring.add_runs([old, new])
        ((row,),) = (board.rows for board in rescoring.boards())
        assert [each.path for each in row.scored] == [new.path]

    def test_other_labels_are_another_board(self, tmp_path):
        other = made_labels(leave_out=(0, 5))
        rescoring = Rescoring([STANDARD_V1])
        rescoring.add_runs([write_run(tmp_path / "a"), write_run(tmp_path / "b", labels=other, scores=made_scores(other))])
        assert len(rescoring.boards()) == 2

    def test_tracks_are_never_mixed(self, tmp_path):
        rescoring = Rescoring([Protocol("plain", 1, Pipeline(), "")])
        rescoring.add_runs([write_run(tmp_path / "a"), write_run(tmp_path / "b", track="supervised")])
        assert [board.track for board in rescoring.boards()] == ["one-class", "supervised"]

    def test_two_of_one_name_and_seed_are_refused(self, tmp_path):
        from vadbench.report.rescoring_entrants import entrant_of_run

        entrant = entrant_of_run(write_run(tmp_path))
        rescoring = Rescoring([STANDARD_V1])
        rescoring.add(entrant)
        with pytest.raises(UsageError, match="two sets of scores"):
            rescoring.add(entrant)
