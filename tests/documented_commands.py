"""Finds ``vadbench ...`` commands in text, and holds each against the command tree: commands, options, values and names exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from doc_pages import Block, blocks, inline_code, logical_lines

# In a line of text or output a command begins the line, follows a prompt, or follows what introduces it.
_BEGINNING: Final = re.compile(r"(?:^\s*|\$ |: |\()(?:\$ )?(vadbench\s+\S.*)$")
_ASSIGNMENT: Final = re.compile(r"^\s*(?:[A-Z][A-Z0-9_]*=\S+ +)+(?=vadbench )")
_END: Final = re.compile(r"\s(?:\||\|\||&&|;|>|2>)\s|;\s|\)$")
_MEANT_SO: Final = re.compile(r"# exit 2\s*$")  # a page may show what is refused
_PLACEHOLDER: Final = re.compile(r"[A-Z][A-Z0-9_/.:<>|-]*|.*<.*>.*|.*\.\.\..*|.*[*$].*")
READ: Final = frozenset({"indented", "text", "console", "sh", ""})
"""The languages of the blocks that are searched; what is executed is held against the tree as well."""

Known = Mapping[str, Callable[[str], bool]]
"""What a value may be, by the name of the option or argument that it is given to."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it stands on a page."""

    page: Path
    line: int
    text: str


def commands_of(page: Path) -> list[Command]:
    """Every ``vadbench`` command of a page: in blocks that are no program or file, and in inline code."""
    found = [command for block in blocks(page) if block.language in READ for command in _in_block(block)]
    for piece in inline_code(page):
        if piece.code.startswith("vadbench "):
            found.append(Command(page, piece.line, piece.code))
    return found


def faults(text: str, root: click.Group, known: Known) -> list[str]:
    """What is wrong with a command, in words; nothing where it could be typed, but for its placeholders.

    Args:
        text: As found, beginning with the program's name.
        root: The command tree.
        known: Values that are names, e.g. ``prior`` to what tells a registered prior.
    """
    words = _words(text)
    command: click.Command = root
    context = click.Context(root, info_name=root.name)
    path = [words.pop(0)]
    early: list[str] = []  # options of a group, which stand before the command's name
    while isinstance(command, click.Group) and words and not _placeholder(words[0]):
        if words[0].startswith("-"):
            option = _options(command, context).get(words[0])
            taken = 1 if option is None or option.is_flag else 1 + option.nargs
            early, words = [*early, *words[:taken]], words[taken:]
            continue
        name = words.pop(0)
        found = [_child(command, context, one) for one in name.split("|")]
        if None in found:
            return [f"{' '.join(path)} has no command {name!r}"]
        command, path = found[0] or command, [*path, name]
        context = click.Context(command, parent=context, info_name=name)
    return list(_argument_faults(command, context, [*early, *words], path, known))


def _options(command: click.Command, context: click.Context) -> dict[str, click.Option]:
    params = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    return {name: param for param in params for name in (*param.opts, *param.secondary_opts)}


def _child(group: click.Group, context: click.Context, name: str) -> click.Command | None:
    return group.get_command(context, name)


def _argument_faults(
    command: click.Command, context: click.Context, words: list[str], path: list[str], known: Known
) -> Iterator[str]:
    # What the whole program takes may stand anywhere: --debug, --plugins-dir.
    options = {**_options(context.find_root().command, context), **_options(command, context)}
    arguments = [param for param in command.get_params(context) if isinstance(param, click.Argument)]
    given: list[str] = []
    while words:
        word = words.pop(0)
        if word == "...":
            continue
        if not word.startswith("-") or word == "-":
            given.append(word)
            continue
        for name in word.split("|"):
            flag, equals, value = name.partition("=")
            option = options.get(flag)
            if option is None:
                yield f"{' '.join(path)} has no option {flag}"
                continue
            if option.is_flag or option.count:
                continue
            # Text may mention an option without its value: `vadbench leaderboard --write`.
            values = [value] if equals else [words.pop(0) for _ in range(option.nargs) if words]
            for one in values:
                yield from _value_faults(option, flag, one, known)
    most = None if any(a.nargs == -1 for a in arguments) else sum(a.nargs for a in arguments)
    if isinstance(command, click.Group):
        most = None  # where a page names a group, what follows is a placeholder
    if most is not None and len(given) > most:
        yield f"{' '.join(path)} takes {most or 'no'} arguments, not {' '.join(given)!r}"
    for at, value in enumerate(given):
        if arguments:
            yield from _value_faults(arguments[min(at, len(arguments) - 1)], "", value, known)


def _value_faults(param: click.Parameter, flag: str, value: str, known: Known) -> Iterator[str]:
    if _placeholder(value):
        return
    for one in value.split("|"):
        if isinstance(param.type, click.Choice):
            if one not in param.type.choices:
                yield f"{flag or param.name} cannot be {one!r}: {', '.join(map(str, param.type.choices))}"
        elif param.name in known and not known[str(param.name)](one):
            yield f"no {param.name} is named {one!r}"


def _placeholder(word: str) -> bool:
    return bool(_PLACEHOLDER.fullmatch(word))


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = []
    for word in lexer:
        if word.startswith("#"):
            break
        # Usage notation: [--seed 0-4] may be left out.
        words.append(word[1:] if word.startswith("[-") or word == "[" else word)
    return [stripped for word in words if (stripped := word.rstrip("]") if word.count("]") > word.count("[") else word)]


def _in_block(block: Block) -> Iterator[Command]:
    for offset, line in logical_lines(block.code):
        found = _BEGINNING.search(_ASSIGNMENT.sub("", line))
        if found and not _MEANT_SO.search(line):
            yield Command(block.page, block.line + offset, _END.split(found[1])[0])
