"""Waveforms: values that are functions of biological time, the same for all neurons that they drive.

A waveform's value in tick t is that at the time t timestep_ms, the beginning of the tick.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from network.errors import NetworkError, show
from network.schema import Description, Number, Numbers


class Steps(Description):
    """``values[k]`` from ``times_ms[k]`` on; 0 before the first time."""

    kind: Literal["steps"] = Field(default="steps", description="the word steps")
    times_ms: Numbers = Field(description="the times of the steps in ms, increasing, on the time grid")
    values: Numbers = Field(description="the value from each time on")

    @model_validator(mode="after")
    def _equally_long(self) -> Self:
        if len(self.values) != len(self.times_ms):
            rule = f"must have as many entries as times_ms, {len(self.times_ms)}, got {len(self.values)}"
            raise NetworkError([("values", f"{rule}; give one for each time")])
        for k, (before, after) in enumerate(zip(self.times_ms, self.times_ms[1:], strict=False), 1):
            if after <= before:
                rule = f"must be later than the time before it, {show(before)}, got {show(after)}"
                raise NetworkError([(f"times_ms[{k}]", f"{rule}; sort the times and remove repeats")])
        return self


class Ramp(Description):
    """`first` until `start_ms`, then in a straight line to `last` at `stop_ms`, and `last` from there on."""

    kind: Literal["ramp"] = Field(default="ramp", description="the word ramp")
    start_ms: Annotated[Number, Field(ge=0)] = Field(
        description="the time when the ramp starts in ms, on the time grid"
    )
    stop_ms: Annotated[Number, Field(ge=0)] = Field(
        description="the time when the ramp stops in ms, on the time grid"
    )
    first: Number = Field(description="the value before the ramp")
    last: Number = Field(description="the value after the ramp")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.stop_ms <= self.start_ms:
            rule = f"must be > start_ms, {show(self.start_ms)}, got {show(self.stop_ms)}"
            raise NetworkError([("stop_ms", f"{rule}; raise it")])
        return self


class Sine(Description):
    """``offset + amplitude sin(2 pi frequency t + phase)``."""

    kind: Literal["sine"] = Field(default="sine", description="the word sine")
    offset: Number = Field(default=0.0, description="the mean")
    amplitude: Number = Field(description="the amplitude")
    frequency_hz: Annotated[Number, Field(ge=0, le=1e6)] = Field(description="the frequency in Hz")
    phase_degrees: Annotated[Number, Field(ge=-360, le=360)] = Field(
        default=0.0, description="the phase at time 0 in degrees, -360 to 360"
    )


Waveform: TypeAlias = Annotated[Steps | Ramp | Sine, Field(discriminator="kind")]
"""A value that is a function of time."""


def extremes(waveform: Waveform) -> tuple[float, float]:
    """Return the least and the greatest value that a waveform takes."""
    match waveform:
        case Steps():
            values = waveform.values if waveform.times_ms[:1] == (0.0,) else (0.0, *waveform.values)
            return min(values), max(values)
        case Ramp():
            return min(waveform.first, waveform.last), max(waveform.first, waveform.last)
        case Sine():
            reach = abs(waveform.amplitude)
            return waveform.offset - reach, waveform.offset + reach
