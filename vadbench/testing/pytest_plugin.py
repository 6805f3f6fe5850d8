"""The pytest plug-in: ``pytest --vadbench NAME|PATH`` adds a test for every check of a plug-in or component.

Every pytest session of an environment with vadbench loads this module, so it imports nothing but pytest before it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.testing.checks import Check
    from vadbench.testing.subjects import Subject

_OPTION = "vadbench"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    group = parser.getgroup("vadbench", "conformance checks of vadbench plug-ins")
    group.addoption(
        "--vadbench",
        action="append",
        default=[],
        metavar="NAME|PATH",
        help="check a plug-in or component: a plug-in's name, KIND/NAME, or the path of a .py file, package or project",
    )
    group.addoption(
        "--vadbench-set",
        action="append",
        default=[],
        metavar="KIND.KEY=VALUE",
        help="a setting of the components that are checked, such as detector.epochs=2",
    )
    group.addoption("--vadbench-data-root", default=None, metavar="DIR", help="folder below which the files of data sets lie")


class CheckedNames(pytest.Collector):
    """All that ``--vadbench`` names."""

    def __init__(self, *, subjects: list[Subject], **more: Any) -> None:
        super().__init__(**more)
        self.subjects = subjects

    def collect(self) -> list[SubjectNode]:
        """A node for each component, and for each plug-in as a whole."""
        return [SubjectNode.from_parent(self, name=subject.name, subject=subject) for subject in self.subjects]


class SubjectNode(pytest.Collector):
    """A component, or a plug-in as a whole."""

    def __init__(self, *, subject: Subject, **more: Any) -> None:
        super().__init__(**more)
        self.subject = subject

    def collect(self) -> list[CheckItem]:
        """An item for each check."""
        subject = self.subject
        return [CheckItem.from_parent(self, name=check.name, subject=subject, check=check) for check in subject.checks]


class CheckItem(pytest.Item):
    """One check."""

    def __init__(self, *, subject: Subject, check: Check, **more: Any) -> None:
        super().__init__(**more)
        self.subject, self.check = subject, check

    def runtest(self) -> None:
        """Runs it and ends as it ends."""
        from vadbench.testing.parametrized import conclude

        conclude(self.subject.outcome(self.check))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands, for reports: nowhere in a file."""
        return self.path, None, f"{self.subject.name}: {self.check.name}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the checks before ``-k`` and ``-m`` choose."""
    names = config.getoption(_OPTION)
    if not names:
        if config.getoption("vadbench_set") or config.getoption("vadbench_data_root"):
            raise pytest.UsageError("--vadbench-set and --vadbench-data-root belong to --vadbench NAME")
        return
    subjects = [subject for name in dict.fromkeys(names) for subject in _subjects(name, config)]
    items += session.genitems(CheckedNames.from_parent(session, name="vadbench", nodeid="vadbench", subjects=subjects))


def _subjects(name: str, config: pytest.Config) -> list[Subject]:
    from pathlib import Path

    from vadbench.api import VadbenchError
    from vadbench.testing.targets import find_targets

    folder = config.getoption("vadbench_data_root")
    try:
        targets = find_targets(
            name, changes=config.getoption("vadbench_set"), data_root=None if folder is None else Path(folder).absolute()
        )
        return [subject for target in targets for subject in target.subjects()]
    except VadbenchError as error:
        raise pytest.UsageError(f"--vadbench {name}: {error}") from error
