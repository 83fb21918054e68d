"""Benchmarks: one module a workload, ``python -m benchmarks.NAME [--json]``; `make bench` runs all.

=========================  ===========================================================================
`benchmarks.microcircuit`  the full cortical microcircuit: statistics as NEST's, time, memory, building
`benchmarks.brunel`        Brunel's network, what a synaptic event takes; beside NEST
`benchmarks.cuba`          the CUBA network, what a tick takes; beside Brian2 and NEST
`benchmarks.placement`     one digest over chips, backends and placements, every combination
=========================  ===========================================================================

``--peer nest`` (or another name, where a benchmark has it) runs a peer too, in turns with ours: scripts in
`benchmarks.peers`, in an environment that `make bench-peers` makes. What benchmarks share:
`benchmarks.report` (measures, targets, checks), `benchmarks.one_run` (a run in a process of its own),
`benchmarks.peer`, `benchmarks.contest` (an example against peers), `benchmarks.turns`, `benchmarks.memory`.
"""
