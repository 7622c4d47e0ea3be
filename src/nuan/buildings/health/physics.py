"""What a process fault does to a station: directions in the space of its channels, from the heat exchanger's own equations.

A station in steady state: exchanger (counter-flow, capacity flows C₁ < C₂ in kW/K, UA in kW/K) and the buildings behind it,

    P = ε·C₁·(T₁ − T₄),   ε = (1 − e^(−NTU(1−Cr)))/(1 − Cr·e^(−NTU(1−Cr))),  NTU = UA/C₁, Cr = C₁/C₂   (VDI Heat Atlas C1, eq. 12)
    T₂ = T₁ − P/C₁,   T₃ = T₄ + P/C₂,   P = H·((T₃ + T₄)/2 − 20 °C)

with T₁, T₂ primary supply and return, T₃, T₄ secondary supply and return and H the buildings' emission. Given T₁, C₁, C₂, UA and H it is
linear in T₄. What a fault changes is one of UA, C₁, C₂; what a controller does about it is C₁ up to what the valve still has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, log
from typing import Final

ROOM_C: Final = 20.0
M3H_TO_KW_PER_K: Final = 1.163
"""Capacity flow of 1 m³/h of water (ρ·cp at 20 °C: 998 kg/m³ × 4.19 kJ/kg·K / 3600)."""
SPARE: Final = 1.3
"""A valve that still has so much more to give than what is usual."""


@dataclass(frozen=True)
class Station:
    """Its usual state: kW/K and °C."""

    primary_supply: float
    primary_capacity: float
    secondary_capacity: float
    ua: float
    emission: float

    def solve(self) -> dict[str, float]:
        """Temperatures, heat and capacity flows in this state."""
        small, large = (
            min(self.primary_capacity, self.secondary_capacity),
            max(self.primary_capacity, self.secondary_capacity),
        )
        ratio = min(small / large, 0.999)
        decay = exp(-min(self.ua / small, 60.0) * (1 - ratio))
        take = small * (1 - decay) / (1 - ratio * decay)
        half = 1 / (2 * self.secondary_capacity)
        # take·(T1 − T4) = emission·(T4 + take·(T1 − T4)·half − 20), solved for T4
        t4 = (take * self.primary_supply * (1 - self.emission * half) + self.emission * ROOM_C) / (
            take * (1 - self.emission * half) + self.emission
        )
        heat = take * (self.primary_supply - t4)
        return {
            "primary_supply": self.primary_supply,
            "primary_return": self.primary_supply - heat / self.primary_capacity,
            "secondary_supply": t4 + heat / self.secondary_capacity,
            "secondary_return": t4,
            "heat": heat,
            "heat_counter": heat,
            "primary_flow": self.primary_capacity / M3H_TO_KW_PER_K,
            "secondary_flow": self.secondary_capacity / M3H_TO_KW_PER_K,
        }

    def controlled(self, secondary_supply: float, most: float) -> "Station":
        """The same with C₁ turned until the secondary supply is this, at most `most` (kW/K)."""
        low, high = most * 0.02, most
        if replace(self, primary_capacity=most).solve()["secondary_supply"] <= secondary_supply:
            return replace(self, primary_capacity=most)
        for _ in range(40):
            middle = (low + high) / 2
            reached = replace(self, primary_capacity=middle).solve()["secondary_supply"]
            low, high = (middle, high) if reached < secondary_supply else (low, middle)
        return replace(self, primary_capacity=(low + high) / 2)


def usual_station(usual: Mapping[str, float]) -> Station | None:
    """From usual values of the four temperatures and heat (or a flow); None where they say no such exchanger."""
    t1, t2, t3, t4 = (
        usual.get(key) for key in ("primary_supply", "primary_return", "secondary_supply", "secondary_return")
    )
    if t1 is None or t2 is None or t3 is None or t4 is None or t1 - t2 < 1.0 or t3 - t4 < 0.5 or t1 - t3 < 0.5:
        return None
    heat = usual.get("heat") or usual.get("heat_counter")
    if heat is None and (flow := usual.get("primary_flow")):
        heat = flow * M3H_TO_KW_PER_K * (t1 - t2)
    heat = heat if heat and heat > 0 else 100.0
    c1, c2 = heat / (t1 - t2), heat / (t3 - t4)
    ratio = min(c1, c2) / max(c1, c2)
    effect = min(max(heat / (min(c1, c2) * (t1 - t4)), 0.05), 0.995)
    ntu = effect / (1 - effect) if ratio > 0.99 else log((1 - effect * ratio) / (1 - effect)) / (1 - ratio)
    return Station(t1, c1, c2, ntu * min(c1, c2), heat / max((t3 + t4) / 2 - ROOM_C, 1.0))


@dataclass(frozen=True)
class Signature:
    """One process fault: what every channel does, per unit of `size`; `size` is the share that is lost (or gained, when negative)."""

    kind: str
    name: str
    size: float
    moves: Mapping[str, float]


def signatures(usual: Mapping[str, float]) -> list[Signature]:
    """Fouling, flow lost on either side, a valve that stands too far open: with and without a controller that can still answer."""
    station = usual_station(usual)
    if station is None:
        return []
    before = station.solve()
    goal, most = before["secondary_supply"], station.primary_capacity * SPARE
    cases: list[tuple[str, str, float, Station]] = []
    for share in (0.2, 0.35, 0.5, 0.65):
        fouled = replace(station, ua=station.ua * (1 - share))
        slower = replace(station, secondary_capacity=station.secondary_capacity * (1 - share))
        cases += [
            ("fouling", "free", share, fouled),
            ("fouling", "held", share, fouled.controlled(goal, most)),
            ("flow_loss", "primary", share, replace(station, primary_capacity=station.primary_capacity * (1 - share))),
            ("flow_loss", "secondary free", share, slower),
            ("flow_loss", "secondary held", share, slower.controlled(goal, most)),
        ]
    cases += [
        ("valve_stuck", "open", share, replace(station, primary_capacity=station.primary_capacity * (1 + share)))
        for share in (0.3, 0.7)
    ]
    found = []
    for kind, name, share, after in cases:
        values = after.solve()
        found.append(
            Signature(kind, f"{kind} {name} {share:g}", share, {key: values[key] - before[key] for key in values})
        )
    return found
