"""Tokenizers that break one rule each. ``fails``: the checks that see it; ``says``: what the first one's message holds."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from asked_again import AskedAgain
from cpu_time import spend
from sound_components import CODES, SoundTokenizer

from vadbench.api import Context, PoseShape, Tokens, Windows


class ShapeAfterFit(SoundTokenizer):
    fails = ("shape_known_before_fit",)
    says = "expected an attribute shape, a TokenShape, before fit, got None"

    def __init__(self, config: object, poses: PoseShape) -> None:
        super().__init__(config, poses)
        self.later = self.shape
        del self.shape

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows, context)
        self.shape = self.later


class CodesFromOne(SoundTokenizer):
    fails = ("codes",)
    says = "expected codes from 0 to 23, got codes from 1 to 24"

    def encode(self, x: torch.Tensor) -> Tokens:
        tokens = super().encode(x)
        return Tokens(tokens.codes + 1, tokens.vectors)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return super().decode(codes - 1)


class DoubleVectors(SoundTokenizer):
    fails = ("vectors",)
    says = "expected vectors of type float32, got torch.float64"

    def encode(self, x: torch.Tensor) -> Tokens:
        tokens = super().encode(x)
        return Tokens(tokens.codes, tokens.vectors.double())


class VectorsBeforeQuantisation(SoundTokenizer):
    fails = ("vectors_stand_for_codes",)
    says = "expected equal vectors for equal codes"

    def encode(self, x: torch.Tensor) -> Tokens:
        return Tokens(super().encode(x).codes, self._pieces(x))


class DecodesToNaN(SoundTokenizer):
    fails = ("decode", "reconstruction", "short_tracks", "unseen_joints")
    says = "expected finite decoded windows, got NaN or infinity"

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.where((codes == 5).any(dim=1)[:, None, None, None], torch.nan, super().decode(codes))


class CentredByBatch(SoundTokenizer):
    fails = ("batches_do_not_matter",)
    says = "expected the codes of a batch to be those of its pieces"

    def __init__(self, config: object, poses: PoseShape) -> None:
        super().__init__(config, poses)
        self.mean = torch.zeros(1)

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows, context)
        self.mean = torch.from_numpy(windows.batch(slice(None)).x).mean(dim=0)

    def encode(self, x: torch.Tensor) -> Tokens:
        return super().encode(x + self.mean - x.mean(dim=0))

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {**super().state_dict(), "mean": self.mean}

    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict(state)
        self.mean = state["mean"]


class SmoothedOverBatch(SoundTokenizer):
    fails = ("order_does_not_matter", "batches_do_not_matter")
    says = "expected codes that follow the order of the windows"

    def encode(self, x: torch.Tensor) -> Tokens:
        return super().encode((x + torch.cat([x[:1], x[:-1]])) / 2)


class Squeezed(SoundTokenizer):
    fails = ("one_window", "batches_do_not_matter")
    says = "One window is a batch as well. Got IndexError"

    def encode(self, x: torch.Tensor) -> Tokens:
        tokens = super().encode(x)
        return Tokens(tokens.codes.squeeze(0), tokens.vectors.squeeze(0))


class NeedsWindows(SoundTokenizer):
    fails = ("no_windows",)
    says = "No windows give no tokens, in the right shapes. Got ValueError: nothing to encode"

    def encode(self, x: torch.Tensor) -> Tokens:
        if len(x) == 0:
            raise ValueError("nothing to encode")
        return super().encode(x)


class DecodesToNothing(SoundTokenizer):
    fails = ("reconstruction",)
    says = "expected a reconstruction with a mean squared error below"

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(super().decode(codes))


class RoomForShownCodesOnly(SoundTokenizer):
    """One code more for whatever lies farther off than anything that it was shown."""

    fails = ("codes",)
    says = "expected codes from 0 to 23, got codes from 24 to 24"

    def encode(self, x: torch.Tensor) -> Tokens:
        tokens = super().encode(x)
        far = self._pieces(x).abs().amax(dim=2) > 1000
        return Tokens(torch.where(far, CODES, tokens.codes), tokens.vectors)


class VectorsOfOthers(SoundTokenizer):
    fails = ("code_vectors",)
    says = "expected vectors(codes) to be the vectors of encode, got a difference of"

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        return self.codebook[codes] + 1


class NeedsLongTracks(SoundTokenizer):
    fails = ("short_tracks",)
    says = "Got ValueError: a track of one window"

    def fit(self, windows: Windows, context: Context) -> None:
        if np.unique(windows.track, return_counts=True)[1].min() < 2:
            raise ValueError("a track of one window")
        super().fit(windows, context)


class DividesByConfidence(SoundTokenizer):
    fails = ("unseen_joints",)
    says = "expected finite vectors once fitted on people of whom a joint, or nothing, is seen"

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows, context)
        seen = torch.from_numpy(windows.batch(slice(None)).confidence).sum(dim=(1, 2)).min()
        self.codebook = self.codebook * (seen / seen)


class LearnsOnTheSly(SoundTokenizer):
    fails = ("labels_unused",)
    says = "that do not depend on labels of training windows"

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows.normal(), context)


class KeepsWhatItEncodes(SoundTokenizer):
    fails = ("same_answer_twice",)
    says = "when it is asked again"

    def __init__(self, config: object, poses: PoseShape) -> None:
        super().__init__(config, poses)
        self.again = AskedAgain()

    def encode(self, x: torch.Tensor) -> Tokens:
        return super().encode(-x if self.again(x) else x)


class TensorAside(SoundTokenizer, torch.nn.Module):
    fails = ("tensors_registered",)
    says = "expected every tensor of a torch module in its parameters or buffers (register_buffer), got tensors in codebook"

    def __init__(self, config: object, poses: PoseShape) -> None:
        torch.nn.Module.__init__(self)
        super().__init__(config, poses)


class KnowsNoOtherDevice(SoundTokenizer):
    fails = ("moves_to_cuda",)
    says = "Got RuntimeError: tensors on two devices"

    def fit(self, windows: Windows, context: Context) -> None:
        if context.device != "cpu":
            raise RuntimeError("tensors on two devices")
        super().fit(windows, context)


class TakesItsTime(SoundTokenizer):
    fails = ("budget",)
    says = "expected at most 0.2 s of CPU time (CPU_SECONDS), got"
    cpu_seconds = 0.2

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows, context)
        spend(0.3)


class Unseeded(SoundTokenizer):
    fails = ("same_seed_same_outputs", "labels_unused")
    says = "expected the same seed to give the same codes"

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows, context)
        self.codebook = self.codebook[np.random.default_rng().permutation(CODES)]


class Forgetful(SoundTokenizer):
    fails = ("state_round_trip",)
    says = "once its state was stored and loaded"

    def load_state_dict(self, state: Any) -> None:
        self.codebook = state["codebook"].flip(0)


class Prints(SoundTokenizer):
    fails = ("prints_nothing",)
    says = "expected nothing on stdout, got 'epoch 1"

    def fit(self, windows: Windows, context: Context) -> None:
        print("epoch 1")  # noqa: T201 - the fault
        super().fit(windows, context)


class DrawsABar(SoundTokenizer):
    fails = ("prints_nothing",)
    says = "expected nothing on stderr"

    def encode(self, x: torch.Tensor) -> Tokens:
        sys.stderr.write("100 %")
        return super().encode(x)


class SeedsNumPy(SoundTokenizer):
    fails = ("global_generators_untouched",)
    says = "expected the global generator of NumPy to be left alone"

    def fit(self, windows: Windows, context: Context) -> None:
        np.random.seed(context.seed)  # noqa: NPY002 - the fault
        super().fit(windows, context)


class ClipsItsInput(SoundTokenizer):
    fails = ("inputs_unchanged",)
    says = "expected x to be left as it was given"

    def encode(self, x: torch.Tensor) -> Tokens:
        return super().encode(x.clamp_(-1.5, 1.5))


class TurnsGradientsOff(SoundTokenizer):
    fails = ("leaves_the_process_as_it_was",)
    says = "got a change of torch.set_grad_enabled"

    def fit(self, windows: Windows, context: Context) -> None:
        torch.set_grad_enabled(False)
        super().fit(windows, context)


BROKEN = (
    ShapeAfterFit,
    CodesFromOne,
    DoubleVectors,
    VectorsBeforeQuantisation,
    DecodesToNaN,
    CentredByBatch,
    SmoothedOverBatch,
    Squeezed,
    NeedsWindows,
    DecodesToNothing,
    RoomForShownCodesOnly,
    VectorsOfOthers,
    NeedsLongTracks,
    DividesByConfidence,
    LearnsOnTheSly,
    KeepsWhatItEncodes,
    TensorAside,
    TakesItsTime,
    Unseeded,
    Forgetful,
    Prints,
    DrawsABar,
    SeedsNumPy,
    ClipsItsInput,
    # Nobody can tell where there is no such device.
    *((KnowsNoOtherDevice,) if torch.cuda.is_available() else ()),
    TurnsGradientsOff,
)
