"""Benchmarks: one module a workload, ``python -m benchmarks.NAME [--json]``; `make bench` runs all.

=========================  ===========================================================================
`benchmarks.microcircuit`  the full cortical microcircuit: statistics as NEST's, time, memory, building
`benchmarks.brunel`        Brunel's network, what a synaptic event takes; beside NEST
`benchmarks.cuba`          the CUBA network, what a tick takes; beside Brian2 and NEST
`benchmarks.million`       a million neurons on 16 chips: synapses near and far, 2 and 20 Hz
`benchmarks.build`         building: the full microcircuit, each rule of connectivity, uploaded lists
`benchmarks.startup`       from the shell to a result, warm, and first with compilation
`benchmarks.stream`        spikes a second through the websocket, and what viewers cost
`benchmarks.chips`         weak scaling over chips, in threads and Ray actors, and waiting
`benchmarks.exchange`      an epoch's exchange alone, as many workers as cores, and more
`benchmarks.counters`      what counting events costs; beside SANA-FE
`benchmarks.roofline`      the memory's bandwidth, delivery alone, and how near the engine is to it
`benchmarks.phases`        where the time of a tick goes
`benchmarks.placement`     one digest over chips, backends and placements, every combination
=========================  ===========================================================================

``--peer nest`` (or another name) runs a peer too, in turns with ours: `microcircuit`, `brunel`, `cuba` and
`counters` have peers, the other workloads none that could be run. Their scripts are in `benchmarks.peers`, in
an environment that `make bench-peers` makes. ``python -m benchmarks`` runs all and writes
`docs/benchmarks.md` and its picture (`benchmarks.page`).

What benchmarks share: `benchmarks.report` (measures, targets, checks), `benchmarks.process` and
`benchmarks.telling` (a process of its own), `benchmarks.one_run` (an example's run), `benchmarks.network_run`
(any network's), `benchmarks.peer`, `benchmarks.contest` (an example against peers), `benchmarks.turns`,
`benchmarks.memory`, and `benchmarks.variant` (the engine with a part taken out, to measure what it costs).
"""
