"""The settings of early stopping, which every component that is trained step by step has alike."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from vadbench.api.config import ComponentConfig


class EarlyStopping(ComponentConfig):
    """When to stop; by default after the last epoch."""

    held_out: float = Field(default=0.0, ge=0, lt=1, description="share of the training tracks held out, to stop by")
    patience: int = Field(default=0, ge=0, description="epochs without a better held-out loss before it stops")

    @model_validator(mode="after")
    def _something_to_wait_for(self) -> Self:
        # The training plan refuses it, too, but only when it is this component's turn.
        if self.patience and not self.held_out:
            raise ValueError("patience waits for a better held-out loss, and held_out is 0: set both or neither")
        return self
