"""``vadbench weights``: weights in and out, each with its card."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vadbench.cli.completion import ComponentName
from vadbench.cli.installed import installed_plugins

if TYPE_CHECKING:
    from vadbench.api.registry import Registry
    from vadbench.store.model_card import ModelCard


@click.group()
def weights() -> None:
    """Weights to hand on: read those that authors released, take them out of a run, say what a file holds.

    A file of weights is safetensors, and a JSON card stands beside it: configuration, data, seeds, licence. Use them with
    vadbench run METHOD --weights FILE.
    """


@weights.command("import")
@click.argument("method", type=ComponentName())
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace what is there.")
def import_weights(method: str, file: Path, out: Path, force: bool) -> None:
    """Read FILE, in which the authors of METHOD released their weights, and write OUT.safetensors and its card.

    Nothing in FILE is run: of its pickle, tensors and plain options alone are read.
    """
    from vadbench.engine.weights import import_released
    from vadbench.store.model_card import write_model

    registry = installed_plugins().registry
    state, card = import_released(method, file, registry)
    written = write_model(out, state, card, replace=force)
    click.echo(f"written: {written}\n{_told(written)}\n{_use(written, card, registry)}")


@weights.command("export")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--licence", required=True, help="Under which they are handed on, e.g. CC-BY-NC-4.0.")
@click.option("--force", is_flag=True, help="Replace what is there.")
def export_weights(run: Path, out: Path, licence: str, force: bool) -> None:
    """Write the weights of the stored run in the folder RUN as OUT.safetensors, and their card."""
    from vadbench.engine.weights import export_run
    from vadbench.store.folders import RECORD, open_run
    from vadbench.store.model_card import write_model

    registry = installed_plugins().registry
    state, card = export_run(open_run(run.parent if run.name == RECORD else run), registry, licence=licence)
    written = write_model(out, state, card, replace=force)
    click.echo(f"written: {written}\n{_told(written)}\n{_use(written, card, registry)}")


@weights.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: the card and the tensors.")
def info(file: Path, as_json: bool) -> None:
    """What the weights in FILE are: the card, checked against them, and the tensors."""
    from vadbench.store.arrays import load_weights
    from vadbench.store.model_card import read_card

    path, card = read_card(file)
    shapes = {name: [list(value.shape), str(value.dtype).removeprefix("torch.")] for name, value in load_weights(path).items()}
    if as_json:
        tensors = {name: {"shape": shape, "dtype": dtype} for name, (shape, dtype) in shapes.items()}
        click.echo(json.dumps({"path": str(path), "card": card.model_dump(mode="json"), "tensors": tensors}, indent=2))
        return
    click.echo(_told(path))
    for name, (shape, dtype) in shapes.items():
        click.echo(f"  {name}  {dtype} {tuple(shape)}")


def _use(weights: Path, card: ModelCard, registry: Registry) -> str:
    """The command that uses weights. The card has the whole configuration, so the name needs no installed method behind it."""
    from vadbench.engine.weights import starts_programs

    words = ["vadbench", "run", card.method, "--weights", str(weights)]
    if not starts_programs(card, registry):
        return f"use it:  {shlex.join(words)}"
    asked = "note:    the card names programs, and whoever uses it is asked for --allow-programs"
    return f"use it:  {shlex.join([*words, '--allow-programs'])}\n{asked}"


def _told(path: Path) -> str:
    """The card in words."""
    from vadbench.store.model_card import read_card

    _, card = read_card(path)
    settings = ", ".join(f"{key}={value}" for key, value in card.dataset_settings.items())
    data = [card.trained_on or "unknown", f"[{settings}]" if settings else "", f"poses {card.poses[:12]}" if card.poses else ""]
    lines = {
        "method": f"{card.method}, track {card.track}",
        "windows": f"{card.channels} channels, {card.frames} frames, {card.config['windows']['layout']}",
        "numbers": f"{card.parameters:,} learned",
        "data": " ".join(part for part in data if part),
        "seeds": " ".join(map(str, card.seeds)) or "unknown",
        "licence": card.licence,
        "source": card.source,
        "SHA-256": card.weights,
    }
    told = [f"{name + ':':<9}{value}" for name, value in lines.items()]
    return "\n".join([*told, *(f"note:    {note}" for note in card.notes)])
