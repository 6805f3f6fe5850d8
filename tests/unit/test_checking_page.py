"""docs/checking.md lists every check with the rule that its code states."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from vadbench.api import KINDS
from vadbench.testing.checks import rules, sentence_of
from vadbench.testing.outcomes import VERDICTS
from vadbench.testing.plugin_checks import CHECKS, LOAD_SECONDS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checking.md"


def cell(text: str) -> str:
    """Text for a table of Markdown."""
    return text.replace("``", "`").replace("|", "\\|")


def tables() -> dict[str, list[str]]:
    """Rows by heading: of plug-ins, of several kinds, of each kind."""
    kinds_of: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind in KINDS:
        for name, rule in rules(kind).items():
            kinds_of[name, rule].append(kind)
    found = {
        "A plug-in as a whole": [
            f"| `{function.__name__.removeprefix('check_')}` | {cell(sentence_of(function))} |" for function in CHECKS
        ],
        "Several kinds": [
            f"| `{name}` | {'all' if len(kinds) == len(KINDS) else ', '.join(kinds)} | {cell(rule)} |"
            for (name, rule), kinds in kinds_of.items()
            if len(kinds) > 1
        ],
    }
    for kind in KINDS:
        found[kind.capitalize()] = [f"| `{name}` | {cell(rule)} |" for (name, rule), kinds in kinds_of.items() if kinds == [kind]]
    return found


def test_every_check_stands_in_the_table_of_its_kind() -> None:
    text = PAGE.read_text(encoding="utf-8").replace("\n## ", "\n### ")
    sections = {part.partition("\n")[0]: part for part in text.split("\n### ")}
    for heading, rows in tables().items():
        there = [line for line in sections[heading].splitlines() if line.startswith("| `")]
        assert there == rows, f"under {heading!r} there should stand:\n" + "\n".join(rows)


def test_every_outcome_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{verdict}`" in text for verdict in VERDICTS)


def test_the_limits_that_are_named_are_those_of_the_code() -> None:
    from vadbench.testing.rules.budget_checks import CPU_SECONDS, MEMORY_GIB, check_budget

    assert f"{CPU_SECONDS:g} s of CPU time and {MEMORY_GIB:g} GiB" in sentence_of(check_budget)
    assert LOAD_SECONDS == 1
