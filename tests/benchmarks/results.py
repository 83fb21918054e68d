"""Results of runs that nobody ran."""

from typing import Any

from benchmarks.one_run import Measured
from benchmarks.peer import PeerRun
from benchmarks.report import Report


def ours(**changes: Any) -> Measured:
    summary = {"state": "complete", "digest": "d" * 64, "synapse_digest": "s" * 32}
    whole: dict[str, Any] = {
        "summary": summary | changes.pop("summary", {}),
        "ready_seconds": 10.0,
        "realtime_factor": 0.5,
        "timed_from_ms": 150.0,
        "rate_hz": 32.0,
        "statistics": None,
        "expected_bytes": 1_380_000_000,
        "peak_pss_bytes": 1_500_000_000,
    }
    return Measured(**(whole | changes))


def theirs(**changes: Any) -> PeerRun:
    result = {"peer": "NEST 3.10.0", "threads": 2, "realtime_factor": 20.0, "rate_hz": 32.0}
    result |= {"timed_ms": [100.0, 1100.0]} | changes
    return PeerRun(result, 10_000_000_000)


def medians(report: Report) -> dict[str, float]:
    return {row.measure: row.median for row in report.rows}


def broken(report: Report) -> list[str]:
    return [check.what for check in report.checks if not check.holds]
