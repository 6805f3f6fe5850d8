"""``vadbench list`` and ``vadbench plugin list``: what is installed, also when a plug-in is broken."""

from __future__ import annotations

import subprocess
import sys

import pytest
from modules_on_disk import entry_point, write_module

from vadbench.api import KINDS
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import preset_names
from vadbench.evaluation.protocol import in_words
from vadbench.evaluation.published_protocols import PROTOCOLS


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A plug-in that raises is installed beside the baselines; returns its name."""
    module = write_module(tmp_path, monkeypatch, "raise OSError('no disk\\nreally none')")
    plugins = load_plugins([entry_point(module), entry_point("vadbench_baselines.plugin", "baselines")])
    monkeypatch.setattr("vadbench.cli.installed.load_plugins", lambda: plugins)
    return module


class TestList:
    def test_everything(self, vadbench):
        called = vadbench("list")
        assert called.code == 0
        for heading in ("methods", *(f"{kind}s" for kind in KINDS), "protocols"):
            assert f"\n{heading}\n" in f"\n{called.out}"
        for name in ("msgflow", "knn", "vq-vae", "hr-shanghaitech", "stgcn-coupling", "standard-v1"):
            assert f"  {name} " in called.out
        assert called.err == ""

    def test_json(self, vadbench):
        rows = vadbench("list", "--json").json
        for row in rows:
            assert set(row) - {"version", "digest", "steps", "steps_on", "notes", "needs"} == {
                "kind",
                "name",
                "summary",
                "plugin",
            }
            assert ("digest" in row) == (row["kind"] == "protocol")
        registry = load_plugins().registry
        found = {(row["kind"], row["name"]) for row in rows}
        assert {(entry.kind, entry.name) for entry in registry.entries()} <= found
        assert {("method", name) for name in preset_names()} <= found
        assert {("protocol", name) for name in PROTOCOLS} <= found
        assert len(rows) == len(found)

    @pytest.mark.parametrize("kind", ["method", *KINDS, "protocol"])
    @pytest.mark.parametrize("plural", ["", "s"])
    def test_of_one_kind(self, vadbench, kind, plural):
        rows = vadbench("list", kind + plural, "--json").json
        assert rows
        assert {row["kind"] for row in rows} == {kind}

    def test_unknown_kind(self, vadbench):
        called = vadbench("list", "tokeniser")
        assert called.code == 2
        assert "no kind of component called 'tokeniser'" in called.err
        assert "'tokenizer'" in called.err

    def test_broken_plugin_is_mentioned_and_survived(self, vadbench, broken):
        called = vadbench("list")
        assert called.code == 0
        assert "knn" in called.out
        assert f"warning: plug-in {broken!r} (unknown) was left out: OSError: no disk\n" in called.err
        assert "vadbench plugin list" in called.err

    def test_json_stays_json_beside_a_broken_plugin(self, vadbench, broken):
        called = vadbench("list", "--json")
        assert called.json
        assert "was left out" in called.err

    def test_names_that_are_methods_twice_over_stand_once(self, vadbench):
        names = [row["name"] for row in vadbench("list", "methods", "--json").json]
        assert sorted(set(names)) == names


class TestProtocols:
    def test_json_has_rule_and_digest_of_each(self, vadbench):
        rows = {row["name"]: row for row in vadbench("list", "protocols", "--json").json}
        assert list(rows) == list(PROTOCOLS)
        for name, row in rows.items():
            protocol = PROTOCOLS[name]
            assert (row["digest"], row["version"], row["summary"]) == (protocol.digest(), protocol.version, protocol.source)
            assert row["steps"] == in_words(protocol.pipeline)
            assert set(row["steps_on"]) == {dataset for dataset, _ in protocol.per_dataset}

    def test_text_says_what_is_other_on_a_data_set(self, vadbench):
        text = " ".join(vadbench("list", "protocols").out.split())
        assert f"version 1, digest {PROTOCOLS['mocodad'].digest()}" in text
        assert "on ubnormal: shift 18; sigma 30" in text
        assert "version 1" not in vadbench("list").out

    def test_needs_no_numerical_library(self):
        code = (
            "import sys\nfrom vadbench.cli.main import main\n"
            "try: main(['list', 'protocols'])\nexcept SystemExit as end: assert not end.code\n"
            "found = {'numpy', 'scipy', 'sklearn', 'torch', 'pandas', 'matplotlib'} & set(sys.modules)\nassert not found, found"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
