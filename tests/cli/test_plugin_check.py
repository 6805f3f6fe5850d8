"""``vadbench plugin check`` of sound components: output, JSON, settings, exit codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import call

from vadbench.testing.outcomes import VERDICTS


def test_sound_component(capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "plugin", "check", "scorer/standardised")
    assert called.code == 0, called.out
    assert called.out.startswith("plug-in msgflow  (vadbench ")
    assert re.search(r"scorer/standardised  \(vadbench_msgflow\.scorer:Standardised\): \d+ ok", called.out)
    assert "FAILED" not in called.out
    assert re.search(r"\n\d+ checks: \d+ ok, in \d+\.\d s\n", called.out)


def test_verbose_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "plugin", "check", "scorer/nats", "--verbose", "--only", "monotone", "--only", "scores")
    assert [line.split() for line in called.out.splitlines() if line.startswith("    ")] == [["ok", "scores"], ["ok", "monotone"]]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    document = call(capsys, "plugin", "check", "scorer/nats", "--json").json
    assert set(document) == {"format", "target", "ok", "counts", "seconds", "plugins"}
    assert (document["format"], document["target"], document["ok"]) == (1, "scorer/nats", True)
    assert tuple(document["counts"]) == VERDICTS
    (plugin,) = document["plugins"]
    assert set(plugin) == {"name", "origin", "distribution", "version", "where", "checks", "components"}
    assert plugin["checks"] == []
    (component,) = plugin["components"]
    assert (component["kind"], component["name"]) == ("scorer", "nats")
    row = component["checks"][0]
    assert set(row) == {"check", "contract", "outcome", "message", "seconds", "expected", "got", "see", "remedy", "at"}


def test_data_set_without_its_files_is_skipped_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "plugin", "check", "dataset/hr-shanghaitech", "--data-root", tmp_path)
    assert called.code == 0, called.out
    assert "skipped tracks: the files of hr-shanghaitech are not here" in called.out


def test_settings(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("plugin", "check", "detector/knn", "--only", "scores")
    assert call(capsys, *arguments, "--set", "detector.k=1").code in (0, 2)
    called = call(capsys, *arguments, "--set", "detector.no_such=1")
    assert called.code == 2
    assert "no detector that is checked has the setting 'no_such'" in called.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("scorer/natz",), 2, "did you mean 'nats'"),
        (("natz",), 2, "did you mean 'nats'"),
        (("scorer/nats", "--only", "monoton"), 2, "did you mean 'monotone'"),
        (("./nowhere",), 4, "there is no such file or folder"),
    ],
)
def test_bad_arguments(arguments: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "plugin", "check", *arguments)
    assert (called.code, called.out) == (code, "")
    assert says in called.err


def test_own_plugins_keep_the_rules_of_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    only = ("light", "quick", "silent", "leaves_no_trace", "summaries", "loads", "offers", "api_version_declared", "settings")
    called = call(capsys, "plugin", "check", "vadbench", *(part for name in only for part in ("--only", name)))
    assert called.code == 0, called.out


class TestFolderNamedAsAKind:
    """``prior/vad-x`` may be a component, a path, both or neither."""

    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    @pytest.fixture
    def write(self, tmp_path: Path) -> Callable[[str], None]:
        def write(path: str) -> None:
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(
                "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_register(registry):\n"
                "    registry.prior('x', 'no_such_module:X', summary='x')\n"
            )

        return write

    @pytest.mark.parametrize("path", ["prior/vad_x.py", "prior/vad_y/__init__.py"])
    def test_a_path_that_no_component_is_called_like(
        self, path: str, write: Callable[[str], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        write(path)
        called = call(capsys, "plugin", "check", path.removesuffix("/__init__.py"), "--only", "loads", "--json")
        (plugin,) = called.json["plugins"]
        assert (called.code, plugin["origin"], Path(plugin["where"])) == (0, "folder", Path.cwd() / path)

    def test_the_component_comes_first(self, write: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
        write("prior/ngram/__init__.py")
        (plugin,) = call(capsys, "plugin", "check", "prior/ngram", "--only", "importable", "--json").json["plugins"]
        assert (plugin["name"], [each["name"] for each in plugin["components"]]) == ("msgflow", ["ngram"])
        (plugin,) = call(capsys, "plugin", "check", "./prior/ngram", "--only", "loads", "--json").json["plugins"]
        assert plugin["origin"] == "folder"

    def test_neither(self, capsys: pytest.CaptureFixture[str]) -> None:
        called = call(capsys, "plugin", "check", "prior/vad-x")
        assert (called.code, called.err.splitlines()[0]) == (2, "error: no prior is named 'vad-x'")
