"""Walking a click program: every command, lazily loaded ones included, with its options."""

from __future__ import annotations

from collections.abc import Iterator

import click


def commands(root: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group and the group itself, as typed: ``vadbench data list``."""
    yield name, root
    context = click.Context(root, info_name=name)
    for child in root.list_commands(context):
        command = root.get_command(context, child)
        if command is None:
            raise LookupError(f"{name} lists {child!r} and does not have it")
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {child}")
        else:
            yield f"{name} {child}", command


def options(command: click.Command) -> list[click.Option]:
    """The options that a user sees, without ``--help``."""
    return [param for param in command.params if isinstance(param, click.Option) and not param.hidden]


def without_help(root: click.Group, name: str) -> list[str]:
    """What has no words: commands, and options as ``vadbench run --seed``."""
    found = []
    for path, command in commands(root, name):
        if command.hidden:
            continue
        if not (command.help or "").strip():
            found.append(path)
        found += [f"{path} {option.opts[0]}" for option in options(command) if not (option.help or "").strip()]
    return found


def unnamed(root: click.Group, name: str, texts: list[str]) -> list[str]:
    """The commands that no text names in full."""
    leaves = [path for path, command in commands(root, name) if not isinstance(command, click.Group) and not command.hidden]
    return [path for path in leaves if not any(path in text for text in texts)]
