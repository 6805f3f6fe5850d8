"""Scores without a method: packed, checked, marked."""

from __future__ import annotations

import pytest
from submissions import ABOUT, SMALL, checked, edit, faults, mend_hashes, packed

from vadbench.report.row_files import open_row, shipped_rows

ASK = ("--contact", ABOUT["contact"], "--licence", ABOUT["licence"])


class TestScoresOnly:
    @pytest.fixture
    def folder(self, vadbench, bundles, tmp_path):
        scores = [part for bundle in bundles for part in ("--scores", bundle)]
        settings = [part for change in SMALL for part in ("--set", change)]
        called = vadbench("submit", "pack", *scores, "--dataset", "synthetic-campus", *settings, *ASK, "-o", "theirs")
        assert called.code == 0, called.err
        return tmp_path / "theirs"

    def test_is_packed_checked_and_marked(self, vadbench, folder, runs, bundles, tmp_path):
        row = open_row(folder / "row.json")
        assert (row.kind, row.cost, row.environment, row.method.config, row.transductive) == ("scores-only", *4 * (None,))
        own = open_row(packed(runs, tmp_path / "own") / "row.json")
        assert row.auroc.mean == pytest.approx(own.auroc.mean)
        assert row.interval == pytest.approx(own.interval)
        for bundle in bundles:
            name = f"seed-{bundle.name[-1]}"
            assert {path.name: path.read_bytes() for path in (folder / name).iterdir()} == {
                path.name: path.read_bytes() for path in bundle.iterdir()
            }
        called = vadbench("submit", "check", folder, "--min-seeds", 2)
        assert called.code == 0, called.err
        assert "Not checked: how the scores were made, track." in called.out
        called = vadbench("submit", "accept", folder, "--into", "rows", "--min-seeds", 2)
        assert called.code == 0, called.err
        assert vadbench("submit", "accept", tmp_path / "own", "--into", "rows", "--min-seeds", 2).code == 0
        table = (tmp_path / "rows" / "synthetic-campus" / "README.md").read_text()
        assert "| Their Net (v2) (scores only) |" in table
        assert "so such a row takes no rank from others" in table
        (name,) = (name for name in shipped_rows(tmp_path / "rows") if "scores-only" in name)
        assert name.startswith("synthetic-campus/their-net-v2-66679687-scores-only-")
        assert vadbench("leaderboard", "--check", "rows").code == 0
        called = vadbench("reproduce", tmp_path / "rows" / f"{name}.json", "--dry-run")
        assert (called.code, "is a row of scores only: no command makes it again" in called.err) == (2, True)

    def test_meta_and_row_agree(self, folder):
        edit(folder / "seed-1" / "meta.json", lambda meta: meta.update(method="Other", seed=4, track="zero-shot"))
        mend_hashes(folder)
        assert [fault.partition(" [")[0] for fault in faults(checked(folder))] == [
            "method: the row says 'Their Net (v2)', meta.json 'Other'",
            "seed: the row says 1, meta.json 4",
            "track: the row says 'one-class', meta.json 'zero-shot'",
        ]

    def test_the_sign_is_part_of_it(self, folder):
        edit(folder / "seed-0" / "meta.json", lambda meta: meta.update(higher_is_more_anomalous=True))
        mend_hashes(folder)
        assert any(fault.startswith("auroc of seed 0: the row says ") for fault in faults(checked(folder)))

    def test_its_meta_is_missing(self, folder):
        (folder / "seed-0" / "meta.json").unlink()
        mend_hashes(folder)
        assert faults(checked(folder)) == ["the file is missing, and the row names its seed [seed-0/meta.json]"]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda meta: meta.pop("seed"), "the bundle does not say its seed"),
            (lambda meta: meta.update(seed=0), "two bundles have the seed 0"),
            (lambda meta: meta.update(method="Other"), "method is 'Other' in this bundle, and 'Their Net (v2)' in the row"),
            (lambda meta: meta.update(dataset="other"), "dataset is 'other' in this bundle"),
        ],
    )
    def test_bundles_of_no_one_row(self, vadbench, bundles, change, said):
        edit(bundles[1] / "meta.json", change)
        scores = [part for bundle in bundles for part in ("--scores", bundle)]
        settings = [part for each in SMALL for part in ("--set", each)]
        called = vadbench("submit", "pack", *scores, "--dataset", "synthetic-campus", *settings, *ASK)
        assert (called.code, said in called.err) == (2, True), called.err

    def test_what_goes_with_what(self, vadbench, bundles, runs):
        assert "name the data set" in vadbench("submit", "pack", "--scores", bundles[0], *ASK).err
        assert "make different rows" in vadbench("submit", "pack", runs, "--scores", bundles[0], *ASK).err
        assert "are for --scores" in vadbench("submit", "pack", runs, "--dataset", "synthetic-campus", *ASK).err
