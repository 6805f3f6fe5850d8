"""``vadbench data cache``: the parsed poses that are kept on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vadbench.api.errors import DataError, UsageError
from vadbench.cli.completion import ComponentName

if TYPE_CHECKING:
    from vadbench.data.cache.entry import CacheEntry
    from vadbench.data.cache.track_cache import TrackCache


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def cache(ctx: click.Context, as_json: bool) -> None:
    """What is in the cache of parsed poses: ~/.cache/vadbench, or $VADBENCH_CACHE ('off' there for none).

    A data set's files are parsed once; after that its poses are mapped into memory. An entry belongs to the content of the
    files, so a changed file, setting or reader never meets an old entry, and each is checked whenever it is opened.
    """
    if ctx.invoked_subcommand is not None:
        if as_json:
            raise UsageError("--json goes with 'vadbench data cache' alone", remedy="leave it out")
        return
    kept = _cache()
    entries = sorted(kept.entries(), key=lambda entry: entry.used, reverse=True)
    if as_json:
        click.echo(json.dumps({"folder": str(kept.folder), "entries": [_row(entry) for entry in entries]}, indent=2))
        return
    for entry in entries:
        told = entry.description
        click.echo(
            f"{told.dataset:<20} {told.split:<10} {told.poses:>11,} poses  {_megabytes(entry.size):>9}  made {told.created}  "
            f"{entry.path.relative_to(kept.folder)}"
        )
    total = sum(entry.size for entry in entries)
    click.echo(f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}, {_megabytes(total)}, in {kept.folder}")


@cache.command()
@click.argument("dataset", type=ComponentName("dataset"))
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set: dataset.family=csv.")
def build(dataset: str, data_root: Path | None, changes: tuple[str, ...]) -> None:
    """Parse a data set's poses now, so that the next run finds them."""
    from vadbench.api import Sourced
    from vadbench.cli.installed import installed_plugins
    from vadbench.engine import datasets
    from vadbench.engine.poses import read_tracks

    kept = _cache()
    settings = datasets.dataset_settings(changes)
    opened = datasets.open_dataset(dataset, installed_plugins().registry, root=datasets.data_root(data_root), settings=settings)
    if not isinstance(opened, Sourced):
        raise UsageError(
            f"the poses of {opened.info.name} cannot be cached",
            remedy="it does not say which files it reads; there is nothing to do",
        )
    for split in opened.info.splits:
        tracks, fingerprint = read_tracks(opened, split, settings, kept)
        click.echo(
            f"{opened.info.name} {split}: {len(tracks):,} poses of {len(tracks.clips)} clips, fingerprint {fingerprint[:12]}"
        )


@cache.command()
def verify() -> None:
    """Check the content of every entry; damaged ones are removed, and named."""
    kept = _cache()
    damaged = kept.verify()
    for path in damaged:
        click.echo(f"damaged, {'could not be removed' if path.exists() else 'removed'}: {path}", err=True)
    if damaged:
        raise DataError(
            f"{len(damaged)} {'entry was' if len(damaged) == 1 else 'entries were'} damaged",
            where=kept.folder,
            remedy="nothing is lost: the poses are parsed again when they are needed; if it happens again, check the disk",
        )
    click.echo(f"every entry is sound, in {kept.folder}")


@cache.command()
@click.option("--unused-for", "days", type=click.FloatRange(min=0), default=0, help="Only what was not used for so many days.")
def clear(days: float) -> None:
    """Remove entries. Nothing is lost: the poses are parsed again when they are needed."""
    kept = _cache()
    count, size = kept.clear(unused_days=days)
    click.echo(f"removed {count} {'entry' if count == 1 else 'entries'}, {_megabytes(size)}, from {kept.folder}")
    if left := [entry for entry in kept.entries() if days == 0]:
        raise DataError(
            f"{len(left)} {'entry' if len(left) == 1 else 'entries'} could not be removed",
            where=kept.folder,
            remedy="check the permissions of the folder, or delete it yourself",
        )


def _cache() -> TrackCache:
    from vadbench.data.cache.track_cache import CACHE_VARIABLE, default_cache

    kept = default_cache()
    if kept is None:
        raise UsageError("the cache is switched off", where=f"${CACHE_VARIABLE}", remedy="name a folder there, or unset it")
    if kept.folder.exists() and not kept.folder.is_dir():
        raise UsageError("the cache is a file, not a folder", where=kept.folder, remedy=f"name a folder in ${CACHE_VARIABLE}")
    return kept


def _row(entry: CacheEntry) -> dict[str, Any]:
    told = entry.description
    return {
        **told.model_dump(exclude={"clips", "format"}),
        "clips": len(told.clips),
        "bytes": entry.size,
        "path": str(entry.path),
    }


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
