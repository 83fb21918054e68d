"""README.md's examples, taken from it, so that what the tests hold is what a reader sees."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def block(heading: str, number: int) -> str:
    """Return the text of one fenced block of a section, counted from 0."""
    section = README.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)
    return blocks[number]
