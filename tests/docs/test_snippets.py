"""Every page of the documentation is executed: its files written, its Python and its shell lines run, in order.

What is executed and what is not stands in docs/writing-docs.md.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from doc_execution import PageError, execute, shell_line
from doc_pages import Block, blocks, page_id, pages

SLOW: dict[str, str] = {}
"""Pages that train for long, with the reason."""


def _executed(block: Block) -> bool:
    return block.title is not None or block.language in ("python", "sh")


def _page_parameters() -> list[object]:
    found = [page for page in pages() if any(_executed(block) for block in blocks(page))]
    return [pytest.param(p, id=page_id(p), marks=[pytest.mark.slow] if page_id(p) in SLOW else []) for p in found]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user's, with ``vadbench`` and ``python`` of this environment first on the path, and none of their settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VADBENCH_", "COLUMNS", "PYTEST_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    cache = os.environ.get("VADBENCH_CACHE", str(tmp_path / "cache"))
    return {**kept, "PATH": path, "VADBENCH_CACHE": cache, "COLUMNS": "120", "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("page", _page_parameters())
def test_a_page_does_what_it_says(page, tmp_path, environment):
    folder = tmp_path / "page"
    folder.mkdir()
    assert execute(blocks(page), folder, environment) > 0


def _page(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def _run(text: str, folder: Path, environment: dict[str, str]) -> int:
    return execute(blocks(_page(folder, text)), folder, environment)


def test_python_that_fails_is_told_with_its_line(tmp_path, environment):
    first = "# A page\n\n```python\nvalue = 1\n```\n\nText.\n\n"
    text = first + "```python\nprint('said before')\nassert value == 2, 'two was meant'\n```\n"
    with pytest.raises(PageError) as caught:
        _run(text, tmp_path, environment)
    told = str(caught.value)
    assert "page.md:10: raised AssertionError: two was meant" in told
    assert "said before" in told
    assert 'page.md", line 11' in told


def test_a_command_that_fails_is_told_with_its_line_and_output(tmp_path, environment):
    with pytest.raises(PageError) as caught:
        _run("```sh\nvadbench list scorer\nvadbench list --kinds\n```\n", tmp_path, environment)
    told = str(caught.value)
    assert "page.md:3: exit code 2, and the page says 0" in told
    assert "vadbench list --kinds" in told
    assert "--kinds" in told.partition("--- output")[2]


def test_a_command_that_should_fail_and_does_not_is_told(tmp_path, environment):
    with pytest.raises(PageError, match="exit code 0, and the page says 2"):
        _run("```sh\nvadbench list scorer   # exit 2\n```\n", tmp_path, environment)


def test_files_shell_and_python_share_a_folder(tmp_path, environment):
    text = (
        '```toml title="deep/mine.toml"\nname = "mine"\n```\n\n'
        '```sh\nexport WHERE=deep\nexport HERE=$PWD/$WHERE\ntest -d "$HERE"\n'
        'cd deep\ntest "$WHERE" = deep && test -f mine.toml   # a comment\n'
        "vadbench no-such-command   # exit 2\n```\n\n"
        "```python\nfrom pathlib import Path\n\nassert Path('deep/mine.toml').read_text() == 'name = \"mine\"\\n'\n```\n\n"
        "```text\nthis is not executed\n```\n\n    nor this\n"
    )
    assert _run(text, tmp_path, environment) == 3


def test_a_file_outside_the_folder_is_refused(tmp_path, environment):
    with pytest.raises(PageError, match="outside"):
        _run('```text title="../elsewhere.txt"\nx\n```\n', tmp_path, environment)


@pytest.mark.parametrize(
    ("text", "command", "code"),
    [
        ("vadbench list", "vadbench list", 0),
        ("vadbench list  # all of it", "vadbench list", 0),
        ("vadbench list x  # exit 2", "vadbench list x", 2),
        ("vadbench run m --set 'a=[\"#\"]'  # exit 5", "vadbench run m --set 'a=[\"#\"]'", 5),
        ("vadbench run m#1", "vadbench run m#1", 0),
    ],
)
def test_a_line_and_its_promise(text, command, code):
    line = shell_line(text)
    assert line is not None
    assert (line.command, line.code) == (command, code)


def test_comments_and_blank_lines_are_no_commands():
    assert shell_line("   # exit 3") is None
    assert shell_line("") is None
