"""Comparison with independent simulators and with arithmetic on paper. Needs none of them to run.

`data/` holds networks with the spikes that NEST 3.10 fires in them, and `spikerack/reference/` the
microcircuit's statistics; both are committed, and `make reference` makes both anew in an environment with
NEST:

- `cases` reads a network and its spikes, and says it in the project's language; start here;
- `oracle` is the conventions of time and the propagators as a plain simulation, equal to NEST spike for
  spike;
- `bands` turns the rates of 20 seeds into what one more run may show;
- `rules` is what NEST's connection rules join, as histograms; `expanded` is networks made by our rules, whose
  synapses (`expanding` reads them back from chips) NEST was given one by one;
- `generate` calls the generators: `generate_recurrent` (1,200 neurons, 1 s, irregular),
  `generate_delta_edges` and `generate_exp_edges` (ties, refractoriness, time constants, long delays),
  `generate_last_bit` (thresholds that one wrong bit would miss), `generate_microcircuit` (rates),
  `generate_statistics` (rates, irregularity and correlation, up to full scale), `generate_rules`,
  `generate_expanded`. They need NEST (`nest_peer`); of this project only the last needs more than
  `spikerack.reference`, which is numpy.

A comparison of a simulator with a case reads::

    case = ReferenceCase.load("exp_recurrent")
    network = parse_network(case.to_network())  # run it in float64 for case.n_ticks ticks
    tick, neuron = case.all_spikes()  # what its digest must cover: uint32 pairs by tick, then by number
"""
