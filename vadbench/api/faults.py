"""What a component raises becomes an error that names it, even where it would end the process."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vadbench.api.errors import PluginError, VadbenchError


class Terminated(SystemExit):
    """The process was told to end, by SIGTERM; no component is to blame."""


ENDS: Final = (KeyboardInterrupt, Terminated)
"""What ends the process, whatever runs. Anything else that a component raises, `SystemExit` as well, is a fault of its own."""
_PARSERS: Final = frozenset({"argparse.py", "optparse.py", "getopt.py"})


@contextmanager
def blamed(what: str, where: str, remedy: str = "--debug shows where it failed") -> Iterator[None]:
    """Whatever is raised in the block, but for `ENDS` and errors of vadbench, becomes a `PluginError`.

    Args:
        what: What failed; what was raised is told behind it.
        where: The component.
        remedy: Unless what was raised has one of its own.
    """
    try:
        yield
    except (VadbenchError, *ENDS):
        raise
    except BaseException as error:
        raise PluginError(f"{what}: {said(error)}", where=where, remedy=exit_remedy(error) or remedy) from error


def said(error: BaseException) -> str:
    """An exception in a line: ``ValueError: it is empty``, ``SystemExit: 2``."""
    try:
        text = str(error)
    except ENDS:
        raise
    except BaseException:  # it may have any code in it
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def exit_remedy(error: BaseException) -> str | None:
    """What to do about a component that ends the process; None where an exception is no such thing."""
    if not isinstance(error, SystemExit):
        return None
    files = {frame.filename.replace("\\", "/").rpartition("/")[2] for frame in traceback.extract_tb(error.__traceback__)}
    if files & _PARSERS:
        return "parse no command line in a component: vadbench's own arguments are on sys.argv; take settings from the config"
    return "raise an error instead: nothing in a component may end the process"
