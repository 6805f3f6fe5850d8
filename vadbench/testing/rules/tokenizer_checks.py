"""The contract of a tokenizer, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.api import CodeVectors, Context, Tokenizer, Tokens, TokenShape
from vadbench.testing.conformance import CheckSkipped, expect, expect_same, is_finite
from vadbench.testing.rules import conduct_checks, device_checks, foundation_checks, label_checks, learning_checks
from vadbench.testing.rules.hard_windows import short_tracks, windows_with_unseen
from vadbench.testing.sample import sample_batch, sample_windows
from vadbench.testing.trial import LearningTrial

if TYPE_CHECKING:
    from collections.abc import Callable

    from vadbench.api import PoseShape, Windows

_CONTRACT: Final = "Tokenizer"


class TokenizerTrial(LearningTrial[Tokenizer]):
    """A tokenizer on trial.

    Args:
        make: ``make(poses)`` gives an untrained tokenizer.
        memory: See `LearningTrial`.
    """

    contract = _CONTRACT

    def __init__(self, make: Callable[[PoseShape], Tokenizer], memory: dict[str, Any] | None = None) -> None:
        super().__init__(make, memory)
        self.training = sample_windows()
        self.x = sample_batch()

    def build(self) -> Tokenizer:
        """A tokenizer of the sample's windows."""
        return self.make(self.training.shape)

    def teach(self, component: Tokenizer, context: Context) -> None:
        """Fits it on every window."""
        component.fit(self.training, context)

    @torch.no_grad()
    def outputs(self, component: Tokenizer) -> Mapping[str, Any]:
        """Codes, vectors and decoded windows."""
        tokens = component.encode(self.x)
        return {"codes": tokens.codes, "vectors": tokens.vectors, "decoded windows": component.decode(tokens.codes)}

    def inputs(self) -> Mapping[str, Any]:
        """The windows, and the poses they are cut from."""
        return {"x": self.x, "tracks.keypoints": self.training.tracks.keypoints, "windows.first": self.training.first}

    def use_windows(self, windows: Windows) -> None:
        """From now on, these are what it is fitted on and asked about."""
        self.training, self.x = windows, torch.from_numpy(windows.batch(slice(None)).x)

    @torch.no_grad()
    def encoded(self, tokenizer: Tokenizer, x: torch.Tensor) -> Tokens:
        """Its tokens, which must be `Tokens`."""
        tokens = tokenizer.encode(x)
        expect(isinstance(tokens, Tokens), "encode to return Tokens", type(tokens).__name__, _CONTRACT)
        return tokens


def check_shape_known_before_fit(trial: TokenizerTrial) -> None:
    """``shape`` is a TokenShape of positive numbers as soon as the tokenizer is made, and fitting does not change it."""
    tokenizer = trial.fresh()
    shape = getattr(tokenizer, "shape", None)
    wanted = "an attribute shape, a TokenShape, before fit"
    if not isinstance(shape, TokenShape):
        expect(False, wanted, repr(shape), _CONTRACT)
        return
    numbers = (shape.codebook_size, shape.tokens, shape.width)
    expect(all(isinstance(n, int) and n > 0 for n in numbers), f"{wanted}, with positive whole numbers", shape, _CONTRACT)
    after = trial.trained().shape
    expect(after == shape, f"the shape known before fit, {shape}", f"{after} after it", _CONTRACT)


def check_codes(trial: TokenizerTrial) -> None:
    """Codes are (B, L) int64 in [0, codebook_size), also of windows that lie far from any that it was shown."""
    tokenizer = trial.trained()
    for factor in (1.0, -10.0, 1e4):
        codes, shape = trial.encoded(tokenizer, factor * trial.x).codes, tokenizer.shape
        expect(codes.dtype == torch.int64, "codes of type int64", codes.dtype, _CONTRACT)
        wanted = (len(trial.x), shape.tokens)
        expect(codes.shape == wanted, f"codes of shape (B, L) = {wanted}", tuple(codes.shape), _CONTRACT)
        low, high = int(codes.min()), int(codes.max())
        inside = low >= 0 and high < shape.codebook_size
        expect(inside, f"codes from 0 to {shape.codebook_size - 1}", f"codes from {low} to {high}", _CONTRACT)


def check_vectors(trial: TokenizerTrial) -> None:
    """Vectors are (B, L, D) float32 and finite."""
    tokenizer = trial.trained()
    vectors, shape = trial.encoded(tokenizer, trial.x).vectors, tokenizer.shape
    expect(vectors.dtype == torch.float32, "vectors of type float32", vectors.dtype, _CONTRACT)
    wanted = (len(trial.x), shape.tokens, shape.width)
    expect(vectors.shape == wanted, f"vectors of shape (B, L, D) = {wanted}", tuple(vectors.shape), _CONTRACT)
    expect(is_finite(vectors), "finite vectors", "NaN or infinity", _CONTRACT)


def check_vectors_stand_for_codes(trial: TokenizerTrial) -> None:
    """Where two windows have the same code in the same place, they have the same vector there."""
    tokens = trial.encoded(trial.trained(), trial.x)
    for place in range(tokens.codes.shape[1]):
        _, group = tokens.codes[:, place].unique(return_inverse=True)
        first = torch.stack([(group == number).nonzero()[0, 0] for number in range(int(group.max()) + 1)])
        wanted = tokens.vectors[first[group], place]
        expect_same(tokens.vectors[:, place], wanted, f"equal vectors for equal codes at token {place}", _CONTRACT)


def check_decode(trial: TokenizerTrial) -> None:
    """``decode`` turns codes (B, L) into finite windows (B, C, T, J)."""
    decoded = trial.outputs(trial.trained())["decoded windows"]
    wanted = tuple(trial.x.shape)
    expect(decoded.shape == wanted, f"decoded windows of shape (B, C, T, J) = {wanted}", tuple(decoded.shape), _CONTRACT)
    expect(is_finite(decoded), "finite decoded windows", "NaN or infinity", _CONTRACT)


def check_batches_do_not_matter(trial: TokenizerTrial) -> None:
    """A window's codes and vectors are the same in whatever batch it is encoded, and so is what codes decode to."""
    tokenizer = trial.trained()
    whole = trial.encoded(tokenizer, trial.x)
    pieces = [trial.encoded(tokenizer, x) for x in torch.split(trial.x, [1, 7, len(trial.x) - 8])]
    what = "the {} of a batch to be those of its pieces"
    expect_same(torch.cat([piece.codes for piece in pieces]), whole.codes, what.format("codes"), _CONTRACT)
    expect_same(torch.cat([piece.vectors for piece in pieces]), whole.vectors, what.format("vectors"), _CONTRACT)
    with torch.no_grad():
        decoded = [tokenizer.decode(codes) for codes in torch.split(whole.codes, [1, 7, len(trial.x) - 8])]
        expect_same(torch.cat(decoded), tokenizer.decode(whole.codes), what.format("decoded windows"), _CONTRACT)


def check_order_does_not_matter(trial: TokenizerTrial) -> None:
    """Windows in another order give the same codes, in that order."""
    tokenizer = trial.trained()
    order = torch.randperm(len(trial.x), generator=torch.Generator().manual_seed(3))
    got = trial.encoded(tokenizer, trial.x[order]).codes
    expect_same(got, trial.encoded(tokenizer, trial.x).codes[order], "codes that follow the order of the windows", _CONTRACT)


def check_one_window(trial: TokenizerTrial) -> None:
    """One window is a batch as well."""
    _check_count(trial, 1)


def check_no_windows(trial: TokenizerTrial) -> None:
    """No windows give no tokens, in the right shapes."""
    _check_count(trial, 0)


def check_reconstruction(trial: TokenizerTrial) -> None:
    """Training windows are closer to their decoded tokens than to the mean window: the codes carry something."""
    decoded = trial.outputs(trial.trained())["decoded windows"]
    error = float((decoded - trial.x).square().mean())
    constant = float((trial.x - trial.x.mean(dim=0)).square().mean())
    wanted = f"a reconstruction with a mean squared error below {constant:.4f}, that of the mean training window"
    expect(error < constant, wanted, f"{error:.4f}", _CONTRACT)


def check_code_vectors(trial: TokenizerTrial) -> None:
    """Where it has ``vectors``, they are for every code those that ``encode`` gives with it."""
    tokenizer = trial.trained()
    if not isinstance(tokenizer, CodeVectors):
        raise CheckSkipped("the tokenizer does not tell the vectors of codes")
    tokens = trial.encoded(tokenizer, trial.x)
    with torch.no_grad():
        expect_same(tokenizer.vectors(tokens.codes), tokens.vectors, "vectors(codes) to be the vectors of encode", "CodeVectors")


def check_short_tracks(trial: TokenizerTrial) -> None:
    """Fitted on tracks of one window or a few, it gives tokens and windows of the right shapes, all finite."""
    trial.use_windows(short_tracks())
    _expect_sound(trial, trial.fitted(), "once fitted on short tracks")


def check_unseen_joints(trial: TokenizerTrial) -> None:
    """A joint that nobody shows, and people of whom nothing is seen, leave all it gives finite: when asked, and when fitted."""
    tokenizer, seen = trial.trained(), trial.x
    trial.use_windows(windows_with_unseen())
    _expect_sound(trial, tokenizer, "for people of whom a joint, or nothing, is seen")
    fitted = trial.fitted()
    for x in (trial.x, seen):
        trial.x = x
        _expect_sound(trial, fitted, "once fitted on people of whom a joint, or nothing, is seen")


def _expect_sound(trial: TokenizerTrial, tokenizer: Tokenizer, when: str) -> None:
    shape, count = tokenizer.shape, len(trial.x)
    wanted = {
        "codes": (count, shape.tokens),
        "vectors": (count, shape.tokens, shape.width),
        "decoded windows": tuple(trial.x.shape),
    }
    for name, values in trial.outputs(tokenizer).items():
        expect(tuple(values.shape) == wanted[name], f"{name} of shape {wanted[name]} {when}", tuple(values.shape), _CONTRACT)
        expect(is_finite(values), f"finite {name} {when}", "NaN or infinity", _CONTRACT)


def _check_count(trial: TokenizerTrial, count: int) -> None:
    tokenizer = trial.trained()
    tokens, shape = trial.encoded(tokenizer, trial.x[:count]), tokenizer.shape
    with torch.no_grad():
        decoded = tokenizer.decode(tokens.codes)
    found = (tuple(tokens.codes.shape), tuple(tokens.vectors.shape), tuple(decoded.shape))
    wanted = ((count, shape.tokens), (count, shape.tokens, shape.width), (count, *trial.x.shape[1:]))
    expect(found == wanted, f"codes, vectors and decoded windows of shapes {wanted} for {count} windows", found, _CONTRACT)


CHECKS: Final = (
    *foundation_checks.CHECKS,
    check_shape_known_before_fit,
    check_codes,
    check_vectors,
    check_vectors_stand_for_codes,
    check_decode,
    check_batches_do_not_matter,
    check_order_does_not_matter,
    check_one_window,
    check_no_windows,
    check_reconstruction,
    check_code_vectors,
    check_short_tracks,
    check_unseen_joints,
    *label_checks.CHECKS,
    *device_checks.CHECKS,
    *learning_checks.CHECKS,
    *conduct_checks.CHECKS,
)
"""Every check of a tokenizer."""
