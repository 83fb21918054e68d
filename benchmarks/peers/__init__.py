"""The peers' side of the benchmarks: scripts that run in `.venv-peers` (`make bench-peers`), not here.

They import the peer, numpy, what stands in this folder and in `benchmarks.telling`, and what both sides'
spikes pass through, `spikerack.reference.spike_statistics`. Of the network they get its description as JSON,
nothing else, so that peers run the very network that the chips run.

================================  =====================================================================
`benchmarks.peers.nest_network`   a description in NEST 3.10, in its leanest legal configuration
`benchmarks.peers.nest_terms`     a description's words in NEST's: no NEST needed
`benchmarks.peers.summaries`      statistics of a peer's spikes: numpy only
`benchmarks.peers.brian2_cuba`    the CUBA network in Brian2: C++ standalone, OpenMP
`benchmarks.peers.sanafe_events`  a steady load in SANA-FE: what a synaptic event takes
================================  =====================================================================
"""
