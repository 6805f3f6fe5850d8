"""Making the detector of a resolved method: components constructed as their contracts say, from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from vadbench.api import Context, Detector, PluginError, PoseShape, TokenShape
from vadbench.api.faults import blamed
from vadbench.engine.composing.composition import Composition, Parts
from vadbench.engine.training.trainer import seeded

if TYPE_CHECKING:
    from vadbench.engine.composing.part_store import PartStore
    from vadbench.engine.config import Component, ResolvedMethod


def build_detector(resolved: ResolvedMethod, poses: PoseShape, context: Context, *, parts: PartStore | None = None) -> Detector:
    """The method's detector, untrained; initial weights depend on the context's seed and nothing else.

    Args:
        resolved: The method.
        poses: Shape of the windows.
        context: Of the run.
        parts: Where a composition finds parts that were trained before, and puts those that it trains.

    Raises:
        PluginError: if a component cannot be imported or made.
    """
    chosen = resolved.components
    if "detector" in chosen:
        detector: Detector = _make(chosen["detector"], context, poses)
        return detector
    tokenizer = _make(chosen["tokenizer"], context, poses) if "tokenizer" in chosen else None
    tokens = _token_shape(tokenizer, chosen["tokenizer"]) if tokenizer is not None else None
    settings = resolved.method.composition
    conditioned = settings.condition != "none"
    history = settings.history * tokens.tokens if tokens is not None else 0
    return Composition(
        Parts(
            scorer=_make(chosen["scorer"], context),
            tokenizer=tokenizer,
            prior=_make(chosen["prior"], context, tokens, history) if "prior" in chosen else None,
            flow=_make(chosen["flow"], context, poses, tokens if conditioned else None) if "flow" in chosen else None,
        ),
        settings,
        store=parts,
        recipe={kind: resolved.settings[kind] for kind in chosen},
    )


def count_parameters(detector: Any) -> int:
    """Numbers that were learned: a ``parameter_count`` of its own, parameters of torch modules, else elements of the state."""
    if isinstance(told := getattr(detector, "parameter_count", None), int):
        return told
    if isinstance(detector, Composition):
        return sum(count_parameters(part) for part in detector.parts.named().values())
    if isinstance(detector, torch.nn.Module):
        return sum(parameter.numel() for parameter in detector.parameters())
    return sum(torch.as_tensor(value).numel() for value in detector.state_dict().values())


def _token_shape(tokenizer: Any, component: Component) -> TokenShape:
    shape = getattr(tokenizer, "shape", None)
    if not isinstance(shape, TokenShape):
        raise PluginError(
            f"tokenizer {component.entry.name!r} has {shape!r} as its shape",
            where=f"{component.entry.target}, plug-in {component.entry.plugin}",
            remedy="a tokenizer has an attribute shape, a TokenShape, as soon as it is made",
        )
    return shape


def _make(component: Component, context: Context, *shapes: Any) -> Any:
    entry = component.entry
    what, where = f"{entry.kind} {entry.name!r} cannot be made", f"{entry.target}, plug-in {entry.plugin}"
    remedy = "check its settings against the shapes of the other parts; --debug shows where it failed"
    with seeded(context.child(f"{entry.kind}.init").seed), blamed(what, where, remedy):
        made = entry.load()(component.config, *shapes)
    # In evaluation mode until it is trained: one whose weights are loaded instead must neither drop out nor track statistics.
    return made.to(context.device).eval() if isinstance(made, torch.nn.Module) else made
