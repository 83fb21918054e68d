"""The gateway: REST and websocket in front of the chips, and the data folder. No science.

It stores networks, keeps the records of deployments and runs, and reads what runs write. It never holds a
spike longer than it takes to send it, and it can stop and come back while runs go on.

Start reading at `api.app` (the whole), then `api.problems` (every error), `api.states` (what may be done
when),
`api.limits` (what is admitted), `api.protocol` (the stream, without I/O) and `api.viewing` (its shell).
"""

from api.app import create_app
from api.settings import Limits, Settings, Streaming

__all__ = ["Limits", "Settings", "Streaming", "create_app"]
