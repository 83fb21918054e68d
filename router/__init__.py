"""Address events: addresses, routing tables, fabrics, traffic counters, the conservation certificate.

Chips are the leaves of a tree. When a neuron fires, an address event with its global number climbs the tree
as far as its farthest target demands and is multicast down. This package says where each event goes and
counts it at every link; everything in it is a pure function of plain data. It runs nothing and knows no
chip's inside: how events get from worker to worker is up to `cluster`.

Start reading at `router.routes`, whose *Theory of operation* has the picture; then

==============================  ==========================================================
`router.tree`                   levels, addresses, how far apart two chips are
`router.routes`                 a set of destinations as masks, and back
`router.tables`                 for each chip, which keys go where
`router.fabric`                 events in, arrivals out: the ideal fabric
`router.traffic`                events at each link and level
`router.balance`                sent = delivered + in flight + dropped
`router.certificate`            both kinds of event, by level and link, for a run
`router.errors`                 *where: rule, got value; what to do*
==============================  ==========================================================
"""

from router.balance import ADDRESS_EVENTS, SYNAPTIC_EVENTS, Balance
from router.certificate import (
    Certificate,
    certify,
    expected_address_events,
    expected_by_level,
    merge,
)
from router.errors import CountError, NoRouteError, RouteError, RouterError, TableError, TreeError
from router.fabric import Arrivals, Events, Fabric, ideal
from router.routes import Route, decode_route, encode_route
from router.tables import KeyRange, Table, build_tables, find_entries, lookup
from router.traffic import Traffic, link_traffic, merge_traffic
from router.tree import MAX_CHIPS, MAX_DEPTH, MAX_FAN_OUT, Level, Tree

__all__ = [
    "ADDRESS_EVENTS",
    "MAX_CHIPS",
    "MAX_DEPTH",
    "MAX_FAN_OUT",
    "SYNAPTIC_EVENTS",
    "Arrivals",
    "Balance",
    "Certificate",
    "CountError",
    "Events",
    "Fabric",
    "KeyRange",
    "Level",
    "NoRouteError",
    "Route",
    "RouteError",
    "RouterError",
    "Table",
    "TableError",
    "Traffic",
    "Tree",
    "TreeError",
    "build_tables",
    "certify",
    "decode_route",
    "encode_route",
    "expected_address_events",
    "expected_by_level",
    "find_entries",
    "ideal",
    "link_traffic",
    "lookup",
    "merge",
    "merge_traffic",
]
