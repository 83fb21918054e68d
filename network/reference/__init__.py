"""The reference of the language, written from its models: ``python -m network.reference > docs/language.md``.

Start reading at `network.reference.page` (the whole page), then `network.reference.fields` (what a field may
be), `network.reference.introduction` (the words before) and `network.reference.examples` (one of each class).
"""

from network.reference.examples import EXAMPLES
from network.reference.page import SECTIONS, page

__all__ = ["EXAMPLES", "SECTIONS", "page"]
