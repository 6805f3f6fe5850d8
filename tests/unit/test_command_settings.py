"""The settings of the detector ``command``: words, placeholders, folder, and what counts as the version of the method."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vadbench.api import ConfigError
from vadbench.engine.config import resolve
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset
from vadbench_foreign import code_digest
from vadbench_foreign.settings import CommandConfig
from vadbench_foreign.words import PLACEHOLDERS, filled, placeholders_of

SCORE = ("prog", "{windows}", "{scores}")


def told(**settings) -> CommandConfig:
    return CommandConfig(**{"score": SCORE, **settings})


class TestWords:
    def test_unknown_placeholder(self):
        with pytest.raises(ConfigError, match=r"unknown placeholder \{window\} in '\{window\}'") as caught:
            told(score=("prog", "{window}", "{scores}"))
        assert "did you mean 'windows'?" in str(caught.value)
        assert "doubled: {{ and }}" in str(caught.value)

    @pytest.mark.parametrize("word", ["{", "a}", "{windows", "{windows!r}", "{windows:>3}", "{}", "{windows.x}", "{windows[0]}"])
    def test_odd_braces(self, word):
        with pytest.raises(ConfigError):
            told(score=(*SCORE, word))

    def test_doubled_braces_are_single_ones(self):
        assert filled(['{{"a": 1}}', "--out={scores}/x"], {"scores": "/s"}) == ['{"a": 1}', "--out=/s/x"]

    @given(st.text(alphabet=st.characters(blacklist_categories=["Cs"])))
    def test_any_text_can_be_written(self, text):
        word = text.replace("{", "{{").replace("}", "}}")
        assert placeholders_of(word, "here") == []
        assert filled([word], {}) == [text]

    @given(st.sampled_from(sorted(PLACEHOLDERS)), st.text(alphabet="{}ab$ "))
    def test_a_value_is_put_in_as_it_is(self, name, value):
        assert filled([f"x{{{name}}}y"], {name: value}) == [f"x{value}y"]

    def test_a_command_that_is_not_told_where(self):
        with pytest.raises(ConfigError, match=r"not told \{windows\} and \{scores\}"):
            told(score=("prog",))
        with pytest.raises(ConfigError, match=r"not told \{model\}") as caught:
            told(fit=("prog", "{windows}"))
        assert caught.value.where == "detector.fit"

    def test_a_command_as_one_text(self):
        with pytest.raises(ConfigError, match="is a list of words, no text") as caught:
            told(score="python3 score.py '{windows} x' {scores}")
        assert 'write score = ["python3", "score.py", "{windows} x", "{scores}"]' in str(caught.value)

    @pytest.mark.parametrize("words", [("", "{windows}", "{scores}"), ("a\0b", "{windows}", "{scores}")])
    def test_no_program(self, words):
        with pytest.raises(ConfigError, match="begins with the name of a program"):
            told(score=words)

    @pytest.mark.parametrize(("name", "value"), [("A B", "x"), ("", "x"), ("A=B", "x"), ("A", "x\0")])
    def test_odd_variables(self, name, value):
        with pytest.raises(ConfigError, match="no environment variable"):
            told(environment={name: value})

    @pytest.mark.parametrize("wrong", [{"timeout_s": 0}, {"timeout_s": -1}, {"arrays": ["y"]}, {"scroe": []}, {"parameters": -1}])
    def test_refused(self, wrong):
        with pytest.raises(ValidationError):
            told(**wrong)

    def test_without_settings_it_is_valid_and_says_what_is_missing(self):
        with pytest.raises(ConfigError, match="no command that scores") as caught:
            CommandConfig().check_scores()
        assert "score = [" in caught.value.remedy


class TestFolder:
    def test_where_vadbench_was_called(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert told().place() == tmp_path

    def test_a_variable_keeps_the_machine_out_of_the_settings(self, tmp_path, monkeypatch):
        monkeypatch.setenv("WHERE_IT_LIES", str(tmp_path))
        config = told(folder="$WHERE_IT_LIES")
        assert config.place() == tmp_path
        assert str(tmp_path) not in json.dumps(config.model_dump(mode="json"))

    def test_a_variable_that_is_not_set(self, monkeypatch):
        monkeypatch.delenv("NOBODY_SET_IT", raising=False)
        with pytest.raises(ConfigError, match="variable NOBODY_SET_IT is not set"):
            told(folder="${NOBODY_SET_IT}/x")

    def test_not_there(self, tmp_path):
        with pytest.raises(ConfigError, match="folder of the commands is not there"):
            told(folder=str(tmp_path / "gone")).place()


class TestCode:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        (tmp_path / "src" / "deep").mkdir(parents=True)
        (tmp_path / ".venv").mkdir()
        for name in ("score.py", "src/a.py", "src/deep/b.py", "notes.txt", ".venv/c.py"):
            (tmp_path / name).write_text(name)
        return tmp_path

    def code(self, folder, **settings) -> str:
        return told(folder=str(folder), **settings).code

    def test_files_that_words_name(self, folder):
        words = ("python3", "score.py", "{windows}", "{scores}")
        before = self.code(folder, score=words)
        assert len(before) == 64
        assert self.code(folder, score=words) == before
        (folder / "notes.txt").write_text("else")
        assert self.code(folder, score=words) == before
        (folder / "score.py").write_text("edited")
        assert self.code(folder, score=words) != before

    def test_patterns(self, folder):
        before = self.code(folder, version_files=["**/*.py"])
        for name, counts in {".venv/c.py": False, "notes.txt": False, "src/deep/b.py": True}.items():
            (folder / name).write_text("edited")
            after = self.code(folder, version_files=["**/*.py"])
            assert (after != before) is counts
            before = after
        (folder / "src" / "new.py").write_text("")
        assert self.code(folder, version_files=["**/*.py"]) != before

    def test_a_moved_folder_has_the_same(self, folder, tmp_path):
        copy = tmp_path / "elsewhere"
        shutil.copytree(folder / "src", copy / "src")
        assert self.code(copy, version_files=["src/**/*.py"]) == self.code(folder, version_files=["src/**/*.py"])

    def test_the_same_content_under_another_name_is_another(self, folder):
        before = self.code(folder, version_files=["src/*.py"])
        (folder / "src" / "a.py").rename(folder / "src" / "z.py")
        assert self.code(folder, version_files=["src/*.py"]) != before

    def test_nothing_counts(self, folder):
        assert self.code(folder) == ""
        assert self.code(folder, version_files=[], score=("python3", "score.py", "{windows}", "{scores}")) == ""

    def test_a_link_that_leads_out_is_not_part_of_it(self, folder, tmp_path_factory):
        outside = tmp_path_factory.mktemp("outside") / "python"
        outside.write_text("an interpreter")
        (folder / "python").symlink_to(outside)
        assert self.code(folder, score=("./python", "{windows}", "{scores}")) == ""

    @pytest.mark.parametrize("pattern", ["/etc/*", "../*", "a/../../b", ""])
    def test_patterns_that_lead_elsewhere(self, folder, pattern):
        with pytest.raises(ConfigError, match="no pattern of files below the folder"):
            self.code(folder, version_files=[pattern])

    def test_a_pattern_that_matches_nothing(self, folder):
        with pytest.raises(ConfigError, match=r"no file is matched by 'srx/\*\.py'"):
            self.code(folder, version_files=["srx/*.py"])

    @pytest.mark.parametrize("most", ["MOST_FILES", "MOST_BYTES"])
    def test_too_much(self, folder, monkeypatch, most):
        monkeypatch.setattr(code_digest, most, 1)
        with pytest.raises(ConfigError, match="count as the method's code"):
            self.code(folder, version_files=["**/*.py"])

    @pytest.mark.parametrize("pattern", ["**/*.py", "**/nothing-of-this-name", "*"])
    def test_a_pattern_of_half_a_disk(self, folder, monkeypatch, pattern):
        monkeypatch.setattr(code_digest, "MOST_SEEN", 2)
        with pytest.raises(ConfigError, match="more than 2 files and folders would have to be looked at") as caught:
            self.code(folder, version_files=[pattern])
        assert caught.value.remedy

    def test_what_is_hidden_is_not_looked_into(self, folder, monkeypatch):
        for number in range(50):
            (folder / ".venv" / f"{number}.py").write_text("")
        monkeypatch.setattr(code_digest, "MOST_SEEN", 20)
        assert len(self.code(folder, version_files=["**/*.py"])) == 64

    def test_a_file_that_is_longer_than_it_says(self, folder, monkeypatch):
        if not Path("/proc/self/status").exists():
            pytest.skip("there is no file system that makes its files up")
        monkeypatch.setattr(code_digest, "MOST_BYTES", 100)
        assert Path("/proc/self/status").stat().st_size == 0
        with pytest.raises(ConfigError, match="count as the method's code"):
            self.code(Path("/proc/self"), version_files=["status"])

    def test_a_folder_of_no_utf_8(self, folder):
        Path(os.fsdecode(os.fsencode(folder) + b"/src/\xff.py")).write_text("x")
        assert len(self.code(folder, version_files=["src/*.py"])) == 64

    def test_links_that_run_in_a_circle(self, folder):
        before = self.code(folder, version_files=["src/**/*.py"])
        (folder / "src" / "deep" / "up").symlink_to(folder / "src")
        assert self.code(folder, version_files=["src/**/*.py"]) == before
        assert self.code(folder, version_files=["src/deep/up/*.py"]) == self.code(folder, version_files=["src/*.py"])

    def test_a_folder_that_is_linked_from_elsewhere(self, folder, tmp_path_factory):
        outside = tmp_path_factory.mktemp("outside")
        (outside / "a.py").write_text("")
        (folder / "theirs").symlink_to(outside)
        with pytest.raises(ConfigError, match="no file is matched"):
            self.code(folder, version_files=["theirs/*.py"])

    @pytest.mark.parametrize(
        ("pattern", "matched"),
        [
            ("**", ["notes.txt", "score.py", "src/a.py", "src/deep/b.py"]),
            ("**/*.py", ["score.py", "src/a.py", "src/deep/b.py"]),
            ("src/**/*.py", ["src/a.py", "src/deep/b.py"]),
            ("src/**/**/b.*", ["src/deep/b.py"]),
            ("./s*/?.py", ["src/a.py"]),
            ("*.[pt]*", ["notes.txt", "score.py"]),
            ("score.py", ["score.py"]),
        ],
    )
    def test_what_patterns_match(self, folder, pattern, matched):
        found = code_digest.files_of_patterns(folder, [pattern])
        assert sorted(path.relative_to(folder).as_posix() for path in found) == matched

    def test_a_digest_that_is_told_must_be_that_of_the_files(self, folder):
        words = ("python3", "score.py", "{windows}", "{scores}")
        code = self.code(folder, score=words)
        assert self.code(folder, score=words, code=code) == code
        with pytest.raises(ConfigError, match="are not those that are meant"):
            self.code(folder, score=words, code="0" * 64)

    def test_where_the_method_is_not_installed_a_record_is_taken_at_its_word(self, tmp_path, monkeypatch):
        monkeypatch.delenv("NOBODY_SET_IT", raising=False)
        for folder in (tmp_path / "gone", "$NOBODY_SET_IT"):
            assert self.code(folder, code="0" * 64, version_files=["*.py"]) == "0" * 64


def test_an_edited_script_is_another_method(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("score.py").write_text("one")
    Path("mine.toml").write_text('[detector]\nname = "command"\nscore = ["python3", "score.py", "{windows}", "{scores}"]\n')
    registry = load_plugins().registry

    def digest():
        return resolve(load_preset("mine.toml", registry), registry, dataset="", swaps={}, changes=()).digest

    first = digest()
    assert digest() == first
    Path("score.py").write_text("two")
    assert digest() != first
