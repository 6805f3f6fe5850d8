"""For the site alone: pages that lie outside docs/, and links that work both in the repository and on the site.

A link on a page is written as it works in the repository, relative to the file: ``../leaderboards/README.md``. The site has
docs/ as its root, so files outside are brought in under the path that they have in the repository, and links are rewritten to
where their target lies on the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from markdown import Markdown
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_PROJECT: Final = Path(__file__).resolve().parents[1]
_PAGES: Final = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "LICENSE": "LICENSE.md",
}
"""Pages outside docs/ by their path in the repository, and where they stand on the site."""
_BROUGHT: Final = ("leaderboards/**/*.md", "leaderboards/**/*.json", "leaderboards/**/*.csv", "configs/**/*.toml")
"""Other files that pages link to; they keep their path."""


def outside_pages() -> dict[str, str]:
    """Every file from outside docs/: its path in the repository to its path on the site."""
    found = {path.relative_to(_PROJECT).as_posix() for pattern in _BROUGHT for path in _PROJECT.glob(pattern)}
    return {**_PAGES, **{path: path for path in sorted(found)}}


def site_path(path: str) -> str | None:
    """Where a file of the repository stands on the site, or None where it does not."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return outside_pages().get(path)


def repository_path(page: str) -> str:
    """Where a page of the site lies in the repository."""
    outside = {site: path for path, site in outside_pages().items()}
    return outside.get(page, f"docs/{page}")


def rewritten(link: str, page: str) -> str:
    """A link of a page of the site (``comparing.md``), as the site needs it; what leads elsewhere stays as it is."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return link
    there = repository_path(page)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(there), parts.path))
    on_site = site_path(target)
    if on_site is None:
        return link
    return urlunsplit(parts._replace(path=posixpath.relpath(on_site, posixpath.dirname(page) or ".")))


class _Links(Treeprocessor):
    """Rewrites links before MkDocs looks at them."""

    page = ""

    def run(self, root: Element) -> None:
        """Of links and pictures."""
        for tag, attribute in (("a", "href"), ("img", "src")):
            for element in root.iter(tag):
                if element.get(attribute):
                    element.set(attribute, rewritten(str(element.get(attribute)), type(self).page))


class _Bars(Treeprocessor):
    """A bar in code in a table is written with a backslash, which GitHub takes away and Python-Markdown leaves."""

    def run(self, root: Element) -> None:
        """Of every cell."""
        for cell in root.iter("td"):
            for code in cell.iter("code"):
                code.text = AtomicString((code.text or "").replace("\\|", "|"))


class _RepositoryMarkdown(Extension):
    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown calls it so
        # MkDocs' own has priority 0, and inline patterns have made links and code by priority 20.
        md.treeprocessors.register(_Links(md), "repository-links", 10)
        md.treeprocessors.register(_Bars(md), "bars-in-tables", 10)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds the extension."""
    config.markdown_extensions.append(_RepositoryMarkdown())  # Markdown takes objects as well as names
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Brings the files in."""
    for path, site in outside_pages().items():
        if path == "LICENSE":
            text = (_PROJECT / path).read_text(encoding="utf-8")
            files.append(File.generated(config, site, content=f"# Licence\n\n```text\n{text}\n```\n"))
        else:
            files.append(File.generated(config, site, abs_src_path=str(_PROJECT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Remembers which page comes next, and leaves out what is a remark to whoever edits the file."""
    _Links.page = page.file.src_uri
    return re.sub(r"^<!-- .*? -->\n", "", markdown, flags=re.MULTILINE)
