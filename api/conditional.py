"""ETags of what does not change, and answers without a body to who has it already."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import Request, Response

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "It is what `If-None-Match` says."}}


def etag(*parts: object) -> str:
    """Return a strong ETag of what `parts` determine."""
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def not_modified(request: Request, tag: str) -> Response | None:
    """Return the answer 304 when the caller has what `tag` names, else None."""
    given = [item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")]
    return Response(status_code=304, headers={"ETag": tag}) if tag in given or "*" in given else None
