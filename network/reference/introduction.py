"""The reference's first page: for those who come from NEST or PyNN."""

# ruff: noqa: E501 - a row of a Markdown table is one line.

INTRODUCTION = """\
# The language

What `POST /v1/networks` takes, what `network.parse_network` parses, and what the builder
(`spikerack.builder`) writes: one JSON object that says *what* is to be emulated and nothing about how. This
page is made from the models by `make docs`; the running service publishes the same as JSON Schema at
`/v1/schemas/network`. Units stand in the names of the fields, unknown fields are refused, and each refusal
says where, the rule, the value, and what to do.

## Coming from NEST or PyNN

| NEST `Connect` | PyNN | here |
|---|---|---|
| `one_to_one` | `OneToOneConnector` | [one_to_one](#onetoone) |
| `all_to_all` | `AllToAllConnector` | [all_to_all](#alltoall) |
| `fixed_indegree` | `FixedNumberPreConnector` | [fixed_in_degree](#fixedindegree) |
| `fixed_outdegree` | `FixedNumberPostConnector` | [fixed_out_degree](#fixedoutdegree) |
| `fixed_total_number` | `FixedTotalNumberConnector` | [fixed_total_number](#fixedtotalnumber) |
| `pairwise_bernoulli` | `FixedProbabilityConnector` | [fixed_probability](#fixedprobability) |
| `pairwise_bernoulli` with a spatial `p` and `mask` | `DistanceDependentProbabilityConnector` | [distance_dependent](#distancedependent) |
| | `SmallWorldConnector` | [small_world](#smallworld) |
| | | [convolution](#convolution), [pooling](#pooling) |
| arrays with `one_to_one` | `FromListConnector` | [explicit](#explicit) |
| | `FromFileConnector` | [uploaded](#uploaded) |
| `poisson_generator` into each neuron | `SpikeSourcePoisson`, one to one | an [input](#poissoninput) of the population |
| `poisson_generator` with `parrot_neuron` | `SpikeSourcePoisson` | a [source](#poissonsource) |
| `mip_generator` | | a [correlated source](#correlatedpoissonsource) |
| `spike_generator` | `SpikeSourceArray` | [spike_times](#spiketimessource), [uploaded_spikes](#uploadedspikessource) |
| `dc_generator`, `step_current_generator`, `ac_generator` | `DCSource`, `StepCurrentSource`, `ACSource` | [dc](#dcinput), [current](#currentinput) with a [waveform](#waveforms) |
| `noise_generator` | `NoisyCurrentSource` | [noise](#noiseinput) |
| `multimeter`, `weight_recorder` | `record` | [recordings](#recordings) |

- **Draws** are with replacement, and a neuron may meet itself, as in NEST. PyNN's `FixedNumberPreConnector`
  and `FixedNumberPostConnector` draw without: `"allow_multapses": false`. Its `allow_self_connections` is
  `allow_autapses`.
- **Weights** are added as they are: an inhibitory one is negative. The receptor of the target says the
  unit.
- **A delay** has two parts. `delay_ms` is the dendritic one, and all of it unless `axonal_delay_ms` is
  given; a spike acts after both, at least one tick (`timestep_ms`) and at most 65,535. What is constant or
  listed must be a whole number of ticks; what is drawn is rounded half up to ticks, each part by itself.
- **A value** is a bare number, or an object with a `kind`: drawn, listed, or a function of distance. It is
  drawn once for each neuron or synapse, from random numbers that are keyed by the network's seed and by
  *which* neuron or synapse it is. So it is the same on any number of chips, two values of one synapse are
  independent, and nothing depends on the order in which anything is drawn. `"bounds": "redraw"` is NEST's
  `redraw`, `"clip"` moves what lies beyond a bound to it.
- **Size**: rules are not expanded, so a network of a million neurons and a billion synapses is about a
  kilobyte. Short lists of synapses stand in the description ([explicit](#explicit)); long ones are uploaded
  as arrays ([uploaded](#uploaded)).
- **Time** is counted in ticks from 0; a spike of tick t happens at (t + 1) `timestep_ms`, as NEST stamps
  it.
- **Neurons** are numbered through, populations in order of declaration, then sources. That number keys the
  random numbers and stands in the recorded spikes; within a population neurons are counted from 0.

## Limits

Beside those in the tables below:

| what | limit |
|---|---|
| a delay | at least one tick and at most 65,535, both parts together; where it is drawn, at least half a tick |
| any other time | at most 2^32 - 1 ticks |
| a weight, and each entry of a codebook | 0, or of a magnitude from 1e-9 to 1e9 (of what is drawn, the largest that can be) |
| a parameter, state variable or current | of a magnitude of at most 1e30, with the waveform that it is multiplied with |
| a time constant | 1e-6 to 1e20 ms, and at least 1/500 of `timestep_ms` |
| a capacitance | 0.001 to 1e12 pF |
| a refractory time | at most 2^24 ticks |
| a Poisson input | at most 500 events a tick on average, where its modulation is greatest |
| a Poisson source | at most one spike a tick: 1000 / `timestep_ms` Hz; correlated, that times the correlation |
| `"bounds": "redraw"` | the bounds must leave at least 1e-3 of the distribution; `clip` takes any |
| a lognormal value | abs(`log_mean`) + 9 `log_sd` at most 600 |
| a sum or product | within 1e300 of 0 after each of its terms, whatever the result is clipped to |
| an `array` | for neurons, one value each; for synapses only with `one_to_one`, and with `all_to_all` unless it leaves out autapses; no term of a sum or product |
| a coordinate | within 1e12 um of the origin |
| `radius_um` in a periodic space | at most half of the least extent |
| `padding` of a window | less than the window spans, with its dilation |
| `"weight_bits": 1` | weights of one sign |
| a codebook | no value twice |
| draws without multapses | no more than there are candidates |
| an object | each field once |

- **Repeated pairs** come from rules that draw with replacement, and from [small_world](#smallworld): a rewired
  synapse may repeat a pair that another one has already.
- **Parallel projections**, of one source, target and receptor, are read back together
  (`GET /v1/deployments/{id}/synapses`): in a chip's memory nothing tells them apart. A recording of weights does.
"""
