"""What may be done with a deployment and a run in each state: tables, and one function that reads them."""

from __future__ import annotations

from collections.abc import Mapping

from api.errors import RefusedTransition

Table = Mapping[str, Mapping[str, str]]

# state -> action -> next state. What is not here is refused and changes nothing. Without anybody's action
# `building` becomes `ready` or `failed`, and `running` one of the four ends.
DEPLOYMENT: Table = {
    "building": {"release": "released"},
    "ready": {"run": "ready", "read synapses": "ready", "release": "released"},
    "failed": {"release": "released"},
    "released": {"release": "released"},
}

RUN: Table = {
    "running": {"pause": "paused", "cancel": "cancelled"},
    "paused": {"resume": "running", "step": "paused", "cancel": "cancelled"},
    "complete": {"delete": "deleted"},
    "complete_with_loss": {"delete": "deleted"},
    "failed": {"delete": "deleted"},
    "cancelled": {"delete": "deleted"},
}

# States that end without a further request, so that asking again makes sense; seconds.
_RETRY_AFTER = {("building", "run"): 1, ("building", "read synapses"): 1}


def next_state(table: Table, where: str, *, state: str, action: str) -> str:
    """Return the state that `action` leads to.

    Parameters
    ----------
    table : mapping
        `DEPLOYMENT` or `RUN`.
    where : str
        What is acted on, for the message.
    state, action : str
        Where it is, and what is asked for.

    Raises
    ------
    RefusedTransition
        The state does not allow the action.
    """
    allowed = table[state]
    if action in allowed:
        return allowed[action]
    able = [name for name, actions in table.items() if action in actions]
    extra = {"retry_after": _RETRY_AFTER[state, action]} if (state, action) in _RETRY_AFTER else {}
    raise RefusedTransition(
        f"{where}: {action} needs the state {' or '.join(able)}, got {state}; "
        f"allowed now: {', '.join(allowed) or 'nothing'}",
        state=state,
        action=action,
        allowed=list(allowed),
        **extra,
    )
