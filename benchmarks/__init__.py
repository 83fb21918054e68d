"""Benchmarks: one module a workload, ``python -m benchmarks.NAME [--json]``; `make bench` runs all.

==============================  ======================================================================
`benchmarks.microcircuit_full`  the full cortical microcircuit: rates, irregularity, correlation as NEST's
`benchmarks.placement`          one digest over chips, backends and placements, every combination
==============================  ======================================================================
"""
