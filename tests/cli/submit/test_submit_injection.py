"""Whatever stands in a field of free text, neither a page nor a terminal does anything but show it."""

from __future__ import annotations

import json

import pytest
from submissions import ABOUT, SMALL, checked, edit, edit_row, mend_hashes

from vadbench.report.row_files import open_row, row_name, shipped_rows, table_text

BAD = "<img src=x> | [k](http://evil)"
ESCAPE = "\x1b[2J\x9b2J\u202e"
FIELDS = {
    "method title": lambda row, text: row["method"].update(title=text),
    "method name": lambda row, text: row["method"].update(name=text),
    "change": lambda row, text: row["method"].update(changes=[f"detector.x={text}"]),
    "data set": lambda row, text: row["dataset"].update(name=text),
    "title of the data set": lambda row, text: row["dataset"].update(title=text),
    "setting": lambda row, text: row["dataset"].update(settings={text: text}),
    "protocol": lambda row, text: row.update(protocol=text),
    "device": lambda row, text: row["environment"].update(device=text),
    "python": lambda row, text: row["environment"].update(python=text),
    "platform": lambda row, text: row["environment"].update(platform=text),
    "package": lambda row, text: row["environment"].update(packages={text: text}),
    "labels": lambda row, text: row["dataset"].update(labels=text),
}


@pytest.mark.parametrize("field", FIELDS)
def test_pages(sent, field):
    edit(sent / "row.json", lambda row: FIELDS[field](row, BAD))
    row = open_row(sent / "row.json")
    text = table_text(row.dataset.name, {row_name(row): row})
    outside = "".join(text.split("`")[::2])  # within a code span nothing is markup
    assert "<img" not in outside
    assert "[k](" not in outside.replace("\\[", "")
    assert "http://evil" not in outside
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") in (table[0].count("|"), 5, 6, 7) for line in table)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("text", [BAD, ESCAPE, "[bold]x[/bold][/]"])
def test_terminals(vadbench, sent, field, text):
    edit_row(sent, lambda row: FIELDS[field](row, text))
    called = vadbench("submit", "check", sent, "--min-seeds", 2)
    assert called.code in (0, 3, 6), called.err
    for sign in ESCAPE:
        if sign not in "[2J":
            assert sign not in called.out + called.err
    json.loads(vadbench("submit", "check", sent, "--min-seeds", 2, "--json").out)


@pytest.mark.parametrize("key", ["contact", "licence", "code", "paper", "notes"])
def test_who_sends_it(vadbench, sent, key):
    edit(sent / "submission.json", lambda about: about.update({key: f"{BAD}{ESCAPE}"}))
    called = vadbench("submit", "check", sent, "--min-seeds", 2)
    assert called.code == 3
    assert not set("\x1b\x9b\u202e") & set(called.out + called.err)


@pytest.mark.parametrize("field", FIELDS)
def test_rows_with_control_characters_are_no_rows(vadbench, sent, field):
    edit(sent / "row.json", lambda row: FIELDS[field](row, ESCAPE))
    called = vadbench("reproduce", sent / "row.json", "--dry-run")
    assert (called.code, "holds a control character" in called.err) == (3, True), called.err
    assert not set("\x1b\x9b\u202e") & set(called.out + called.err)


class TestScoresOnly:
    @pytest.fixture
    def folder(self, vadbench, bundles, tmp_path):
        for bundle in bundles:
            edit(bundle / "meta.json", lambda meta: meta.update(method=BAD))
        scores = [part for bundle in bundles for part in ("--scores", bundle)]
        settings = [part for change in SMALL for part in ("--set", change)]
        asked = ("--contact", ABOUT["contact"], "--licence", ABOUT["licence"], "-o", "theirs")
        called = vadbench("submit", "pack", *scores, "--dataset", "synthetic-campus", *settings, *asked)
        assert called.code == 0, called.err
        return tmp_path / "theirs"

    def test_a_name_that_anybody_may_choose(self, vadbench, folder, tmp_path):
        called = vadbench("submit", "accept", folder, "--into", "rows", "--min-seeds", 2)
        assert called.code == 0, called.out
        (path,) = shipped_rows(tmp_path / "rows").values()
        text = (path.parent / "README.md").read_text()
        assert r"&lt;img src=x> \| \[k](http:" not in text
        assert text.count(r"&lt;img src=x> \| \[k](http&#58;//evil)") == 2
        assert "<img" not in text

    def test_its_meta_is_read_as_a_strangers(self, folder):
        path = folder / "seed-0" / "meta.json"
        path.write_text(path.read_text().replace('"seed": 0', '"seed": 1, "seed": 0'))
        mend_hashes(folder)
        (fault,) = [each for each in checked(folder).findings.faults() if "twice" in each.what]
        assert fault.where == "seed-0/meta.json"
        path.write_text(path.read_text().replace('"seed": 1, ', "") + " " * 2**20)
        mend_hashes(folder)
        assert any("are allowed" in each.what for each in checked(folder).findings.faults())

    def test_control_characters_in_its_name(self, folder):
        edit(folder / "seed-0" / "meta.json", lambda meta: meta.update(method="a\u202eb"))
        mend_hashes(folder)
        assert any("holds a control character" in each.what for each in checked(folder).findings.faults())
