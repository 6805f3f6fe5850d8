"""The file of published figures, and how a wrong line is reported."""

from __future__ import annotations

import pytest

from vadbench.api import DataError
from vadbench.engine.presets import shipped_folder
from vadbench.report.published import PublishedRow, load_published

HEADER = "method,arxiv,venue,year,pose_family,track,dataset,auroc,status,note"
GOOD = "STG-NF,2211.10946,ICCV,2023,json,one-class,HR-ShanghaiTech,87.40,seen,"


def written(tmp_path, *lines):
    path = tmp_path / "published.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def test_the_shipped_file_is_sound():
    rows = load_published()
    assert len(rows) == (shipped_folder("leaderboards") / "published.csv").read_text(encoding="utf-8").count("\n") - 1
    by_key = {(row.method, row.track, row.dataset): row for row in rows}
    assert str(by_key["STG-NF", "one-class", "HR-ShanghaiTech"].auroc) == "87.4"
    assert str(by_key["STG-NF", "supervised", "UBnormal"].auroc) == "79.2"
    keys = [(row.dataset, row.track, -row.auroc) for row in rows]
    assert keys == sorted(keys)


def test_the_readme_beside_it_explains_every_column():
    text = (shipped_folder("leaderboards") / "README.md").read_text(encoding="utf-8")
    for name in PublishedRow.model_fields:
        assert f"`{name}`" in text


def test_a_figure_keeps_the_digits_of_its_source(tmp_path):
    (row,) = load_published(written(tmp_path, GOOD))
    assert str(row.auroc) == "87.40"
    assert load_published(written(tmp_path, GOOD.replace("2211.10946", "")))[0].arxiv is None


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (GOOD.replace("87.40", "high"), "auroc"),
        (GOOD.replace("87.40", "187.4"), "auroc"),
        (GOOD.replace("87.40", "nan"), "auroc"),
        (GOOD.replace("87.40", ""), "auroc"),
        (GOOD.replace("one-class", "one class"), "track"),
        (GOOD.replace("seen", "rumour"), "status"),
        (GOOD.replace("2211.10946", "arxiv/2211"), "arxiv"),
        (GOOD.replace("2023", "soon"), "year"),
        (GOOD + ",more", "cells"),
        (GOOD.removesuffix(",seen,"), "cells"),
        (GOOD, "second"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, names):
    path = written(tmp_path, GOOD, "", line)
    with pytest.raises(DataError, match=names) as caught:
        load_published(path)
    assert caught.value.where == f"{path}, line 4"


def test_a_missing_file_or_column_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load_published(tmp_path / "none.csv")
    path = tmp_path / "short.csv"
    path.write_text("method,auroc\nSTG-NF,87.4\n", encoding="utf-8")
    with pytest.raises(DataError, match="were expected") as caught:
        load_published(path)
    assert caught.value.where.endswith("line 1")
