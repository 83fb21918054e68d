"""Benchmarks: one module a workload, ``python -m benchmarks.NAME [--json]``; `make bench` runs all.

=====================  ===============================================================================
`benchmarks.placement`  one digest over chips, backends and placements, every combination
=====================  ===============================================================================
"""
