"""The site is built strictly from the pages, and holds what they hold."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from click_tree import commands, options
from doc_pages import DOCS, PROJECT

import vadbench.api
from vadbench.cli.main import cli


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("site_pages", DOCS / "site_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Page(HTMLParser):
    """Links, what a page loads, its anchors, and its text outside code."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.loaded, self.anchors, self.text = [], [], set(), []
        self._code = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given["id"]} if "id" in given else set()
        self._code += tag in ("pre", "code", "script", "style")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("script", "img", "iframe") and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "preconnect"):
            self.loaded.append(given["href"])

    def handle_endtag(self, tag):
        self._code -= tag in ("pre", "code", "script", "style")

    def handle_data(self, data):
        if not self._code:
            self.text.append(data)


def read(site: Path, page: str) -> _Page:
    return _Page(site / page / "index.html")


def plain(site: Path, page: str) -> str:
    """A page's text, code included."""
    return re.sub(r"<[^>]+>", "", (site / page / "index.html").read_text(encoding="utf-8"))


def test_every_page_is_in_the_navigation():
    def leaves(entry):
        if isinstance(entry, str):
            return {entry}
        return set().union(*(leaves(part) for part in (entry.values() if isinstance(entry, dict) else entry)))

    nav = leaves(yaml.safe_load((PROJECT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - nav == set()


def test_the_reference_has_every_public_name(site):
    anchors = read(site, "reference/api").anchors
    lacking = {
        name for name in vadbench.api.__all__ if not any(a.endswith(f".{name}") and a.startswith("vadbench.api") for a in anchors)
    }
    assert lacking == set()


def test_the_reference_has_every_command_and_option(site):
    text = plain(site, "reference/commands")
    for path, command in commands(cli, "vadbench"):
        assert re.search(rf"^\s*{re.escape(path)}\b", text, re.MULTILINE), path
        for option in options(command):
            assert option.opts[0] in text, f"{path} {option.opts[0]}"
    assert "Sentinel" not in text


def test_nothing_is_loaded_from_elsewhere(site):
    for path in site.rglob("*.html"):
        assert [found for found in _Page(path).loaded if "//" in found] == [], path


def test_links_within_the_site_lead_somewhere(site):
    """MkDocs checks those of pages; these are all, also those that the hook and the reference made."""
    broken = []
    for path in site.rglob("index.html"):
        for link in _Page(path).links:
            target, _, _ = link.partition("#")
            if target and "//" not in target and not target.startswith(("mailto:", "/")):
                there = (path.parent / target).resolve()
                if not (there.is_file() or (there / "index.html").is_file()):
                    broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_bars_in_tables(site):
    """Written with a backslash, and read without."""
    assert "--device cuda|cpu|auto" in plain(site, "training")


def test_pages_outside_docs_are_there(site):
    assert "reproduced rows" in plain(site, "leaderboards/synthetic-campus")
    assert "Apache License" in plain(site, "LICENSE")
    assert any(link.startswith("../leaderboards/synthetic-campus/") for link in read(site, "mocap-street").links)
    assert any(link.startswith("../evaluation/") for link in read(site, "overview").links)


def test_lists_and_tables_are_such(site):
    """A list without a blank line before it is a paragraph to the site's Markdown."""
    odd = []
    for path in site.rglob("index.html"):
        text = path.read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
        for paragraph in re.findall(r"<p>(.*?)</p>", text, flags=re.DOTALL):
            if re.search(r"^(- |1\. |\|.*\|$|```)", paragraph, flags=re.MULTILINE):
                odd.append(f"{path.relative_to(site)}: {paragraph[:80]}")
    assert odd == []


@pytest.mark.parametrize(
    ("link", "page", "wanted"),
    [
        ("comparing.md", "evaluation.md", "comparing.md"),
        ("../evaluation.md#labels", "contracts/prior.md", "../evaluation.md#labels"),
        ("../leaderboards/README.md", "mocap-street.md", "leaderboards/README.md"),
        ("../../leaderboards/synthetic-campus/README.md", "methods/README.md", "../leaderboards/synthetic-campus/README.md"),
        ("docs/evaluation.md", "overview.md", "evaluation.md"),
        ("docs/images/timeline.png", "overview.md", "images/timeline.png"),
        ("../docs/leaderboards.md", "leaderboards/README.md", "../leaderboards.md"),
        ("../README.md", "index.md", "overview.md"),
        ("../LICENSE", "index.md", "LICENSE.md"),
        ("../pyproject.toml", "index.md", "../pyproject.toml"),
        ("https://github.com/orhir/STG-NF", "datasets.md", "https://github.com/orhir/STG-NF"),
        ("#labels", "evaluation.md", "#labels"),
    ],
)
def test_links_are_rewritten(hook, link, page, wanted):
    assert hook.rewritten(link, page) == wanted


def test_a_broken_link_breaks_the_build(tmp_path):
    """The strict build sees what it should: a page that leads nowhere."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[nowhere](../nowhere.md)\n")
    hook = (DOCS / "site_pages.py").as_posix()
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\nstrict: true\nhooks: [{hook}]\nplugins: []\n")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr
