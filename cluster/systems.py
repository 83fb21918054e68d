"""Systems: trees of chips with limits. The presets a client can deploy onto."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from router import Level, Tree


class LevelSpec(BaseModel):
    """One level of a system's tree: `fan_out` children of the level below make one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The level's name, e.g. board.")
    fan_out: int = Field(ge=1, description="Children of one node of this level.")


class ChipLimits(BaseModel):
    """What one emulated chip can hold. A deployment that needs more is refused with the numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    banks: int = Field(default=16, ge=1, description="Banks of up to 65,536 neurons each.")
    neurons: int = Field(default=1_048_576, ge=1, description="Neurons over all banks.")
    synapse_words: int = Field(default=2**30, ge=1, description="Words of synapse memory, 4 bytes each.")
    axons: int = Field(
        default=2**24, ge=1, description="Input lines, one for each (source neuron, bank, receptor)."
    )
    delay_ticks: int = Field(default=65_535, ge=1, description="Longest delay.")
    models: tuple[str, ...] | None = Field(default=None, description="Neuron models it takes; null for all.")


class System(BaseModel):
    """The emulated hardware: a tree of identical chips."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    levels: tuple[LevelSpec, ...] = Field(description="From the leaves up: boards of chips, racks of boards.")
    chip: ChipLimits = ChipLimits()

    @property
    def tree(self) -> Tree:
        """The router's tree."""
        return Tree(tuple(Level(level.name, level.fan_out) for level in self.levels))

    @property
    def n_chips(self) -> int:
        """Chips of the whole system."""
        return self.tree.n_chips


def _rack(n_boards: int, n_chips: int) -> System:
    return System(
        name=f"rack-{n_boards}x{n_chips}",
        description=f"{n_boards} boards of {n_chips} generic chips of 16 banks and 4 GiB of synapse memory.",
        levels=(LevelSpec(name="board", fan_out=n_chips), LevelSpec(name="rack", fan_out=n_boards)),
    )


SYSTEMS: dict[str, System] = {system.name: system for system in (_rack(2, 2), _rack(8, 8))}
DEFAULT_SYSTEM = "rack-8x8"
