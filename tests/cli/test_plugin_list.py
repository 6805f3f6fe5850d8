"""``vadbench plugin list``: every plug-in with what it offers and needs, or with cause and remedy; and that it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from modules_on_disk import entry_point, write_module

from vadbench.engine.plugins import load_plugins

KEYS = {
    *("name", "origin", "distribution", "version", "where", "status", "components", "error", "remedy", "traceback", "printed"),
    *("api_version", "needs", "offers"),
}
NEEDING = """
    from vadbench.api import hookimpl
    print("hello [from] me")
    VADBENCH_API = 1

    @hookimpl
    def vadbench_register(registry):
        registry.detector("wanting", "m:C", summary="what [nobody] has", requires=("nothing_such",))
        registry.flow("content", "m:C")
"""


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Two plug-ins, one broken and one in need, and no others."""
    broken = write_module(tmp_path, monkeypatch, "raise OSError('no disk [at all]')", "broken")
    needing = write_module(tmp_path, monkeypatch, NEEDING, "needing")
    plugins = load_plugins([entry_point(broken), entry_point(needing)])
    monkeypatch.setattr("vadbench.cli.installed.load_plugins", lambda: plugins)
    return broken, needing


class TestJson:
    def test_own(self, vadbench):
        rows = {row["name"]: row for row in vadbench("plugin", "list", "--json").json}
        assert all(set(row) == KEYS for row in rows.values())
        own = rows["msgflow"]
        assert (own["status"], own["distribution"], own["origin"], own["error"], own["needs"]) == (
            "ok",
            "vadbench",
            "installed",
            None,
            [],
        )
        assert "tokenizer vq-vae" in own["components"]
        assert own["where"].endswith("vadbench_msgflow/plugin.py")
        (found,) = [each for each in own["offers"] if each["name"] == "vq-vae"]
        assert found["target"] == "vadbench_msgflow.tokenizer:VQVAE"
        assert found["kind"] == "tokenizer"

    def test_broken_and_needing(self, vadbench, listed):
        rows = {row["name"]: row for row in vadbench("plugin", "list", "--json").json}
        broken, needing = (rows[name] for name in listed)
        assert broken["status"] == "failed"
        assert broken["error"].startswith("OSError: no disk [at all], raised in ")
        assert broken["remedy"].startswith("correct ")
        assert broken["traceback"].startswith("Traceback")
        assert f'{listed[0]}.py", line 1' in broken["traceback"]
        assert needing["status"] == "ok"
        assert needing["needs"] == ["nothing_such"]
        assert needing["printed"] == "hello [from] me\n"
        assert needing["api_version"] == 1
        assert [offer["needs"] for offer in needing["offers"]] == [[], ["nothing_such"]]


class TestText:
    def test_own(self, vadbench):
        called = vadbench("plugin", "list")
        assert called.code == 0
        assert called.err == ""
        assert "msgflow  vadbench" in called.out
        assert "convolutional VQ-VAE" in called.out
        assert "--traceback" not in called.out

    def test_broken_and_needing(self, vadbench, listed):
        called = vadbench("plugin", "list")
        assert called.code == 0
        assert called.err == ""
        assert f"{listed[0]}  unknown unknown  failed" in called.out
        assert "cause   OSError: no disk [at all], raised in" in called.out
        assert "remedy  correct" in called.out
        assert f"{listed[1]}  unknown unknown  needs nothing_such" in called.out
        assert "what [nobody] has  needs nothing_such" in called.out
        assert "hello [from] me" in called.out
        assert "Traceback" not in called.out
        assert "vadbench plugin list --traceback shows" in called.out

    def test_tracebacks(self, vadbench, listed):
        called = vadbench("plugin", "list", "--traceback")
        assert "Traceback (most recent call last)" in called.out
        assert f'{listed[0]}.py", line 1' in called.out
        assert "engine/plugins.py" not in called.out

    @pytest.mark.parametrize("width", [80, 120])
    def test_no_line_is_wider_than_the_terminal(self, vadbench, listed, monkeypatch, width):
        monkeypatch.setattr("vadbench.cli.console._WIDTH_WITHOUT_TERMINAL", width)
        called = vadbench("plugin", "list")
        # The line that names a plug-in is as long as its name.
        assert max(len(line) for line in called.out.splitlines()) <= width


def test_what_needs_something_is_said_of_it_in_the_list_of_components(vadbench, listed):
    called = vadbench("list", "detector")
    assert f"what [nobody] has  ({listed[1]}; needs nothing_such)" in called.out
    (row,) = vadbench("list", "detector", "--json").json
    assert row["needs"] == ["nothing_such"]


def test_a_run_that_wants_what_failed_is_told_of_it(vadbench, listed):
    called = vadbench("run", "knnn", "--dataset", "synthetic-campus")
    assert called.code == 2
    assert f"plug-in {listed[0]!r} failed to load, which may be why: vadbench plugin list" in called.err


@pytest.mark.parametrize("arguments", [["plugin", "list"], ["plugin", "list", "--json"], ["plugin", "--help"], ["list"]])
def test_no_numerical_library_is_imported(arguments):
    code = (
        f"import sys\nfrom vadbench.cli.main import main\ntry: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code\n"
        "found = {'numpy', 'scipy', 'sklearn', 'torch', 'pandas', 'matplotlib'} & set(sys.modules)\nassert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
