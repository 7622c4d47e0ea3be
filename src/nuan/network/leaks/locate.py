"""Where the leak is: each pipe's probability, from what pressures and flows do against a twin without a leak.

    r̄ = q · g_c + ε,   ε ~ N(0, C)         for each candidate c: middle of a pipe of either side

r̄ is the mean residual since the alarm, g_c what the sensors would do for 1 kg/s at c (adjoint: a back-solve a sensor; secants over the
size of the leak), q known from make-up, C learnt (`locate_doubt`). A sensor that no candidate can explain is set aside (largest normalised
residual: Abur & Expósito, Power System State Estimation, 2004, ch. 5). Log-likelihoods are tempered until leaks put into leak-free hours
are found as often as is promised, so that a probability is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuan.network.estimation.sides import RETURN, SUPPLY
from nuan.network.graph.tables import Network
from nuan.network.leaks.locate_doubt import mixed
from nuan.network.leaks.locate_fit import Fit, Rows, block_means, fit, robust_mean
from nuan.network.leaks.locate_near import Neighbourhood
from nuan.network.leaks.locate_sensors import FLOW
from nuan.network.leaks.locate_twin import Moment, Responses, Twin
from nuan.network.leaks.points import Point

Floats = NDArray[np.float64]
KG_S_PER_T_H = 1.0 / 3.6
BIN_S = 3600
MOST_ROWS, MOST_SENSORS, MOST_HOURS = 300, 1200, 24
KEEP_S = 45 * 86_400
NEAR_M = 300.0
"""How close a place counts as found: what a crew walks with a listening stick."""
LIES, LIE_SIGMAS, SURELY = 0.01, 20.0, 0.8
"""How often a sensor lies in the hours after an alarm, by how much, and how sure one must be to set it aside."""
USUAL_LEAK_T_H, USUAL_SPREAD_T_H = 10.0, 20.0
FLOORS = (0.01, 0.06, 0.25, 0.25, 0.25, 0.25)
"""Shares of each shape (`Locator._shapes`) that are never argued away by quiet learning hours: loads differ from those learnt."""
TEMPERS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.08)


@dataclass(frozen=True)
class Ranking:
    """`pipes`: (pipe, probability), all candidates, the best place to go first, then by probability. `side` supply, return or empty.

    `size_t_h` is the size that fits (NaN: nothing known); `confidence` the probability that the leak is within 300 m of the first pipe.
    `set_aside`: columns of sensors that were not believed.
    """

    pipes: tuple[tuple[str, float], ...]
    side: str
    side_probability: float
    size_t_h: float
    confidence: float
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Learnt:
    fit: Fit
    typical: Moment | None
    shapes: list[Floats]
    means: dict[int, Floats]


class Locator:
    """Learn leak-free rows in order, then rank. `values[T, P]` in the order of `points`, canonical units, NaN where nothing was measured.

    Never raises on odd input: what cannot be used is left out, and the less there is, the flatter the ranking.
    """

    def __init__(self, network: Network, points: Sequence[Point]) -> None:
        self.points = tuple(points)
        self.twin = Twin(network, self.points)
        self.near = Neighbourhood(self.twin.arrays, self.twin.candidates)
        lengths = self.twin.arrays.edges.length[self.twin.candidates]
        self.prior = np.maximum(np.nan_to_num(lengths), 2.0)
        self.prior = self.prior / max(self.prior.sum(), 1e-9)
        self._raw: list[tuple[int, Floats]] = []
        self._learnt: _Learnt | None = None
        self._learnt_at = (-1, -1)

    def learn(self, time_s: NDArray[np.int64], values: Floats) -> None:
        """Add leak-free rows. Cheap: the work is done at the next `rank`."""
        for at, row in _binned(time_s, values, len(self.points)):
            if self._raw and at <= self._raw[-1][0]:
                if at == self._raw[-1][0]:
                    self._raw[-1] = (at, np.where(np.isfinite(row), row, self._raw[-1][1]))
                continue
            self._raw.append((at, row))
        if self._raw:
            oldest = self._raw[-1][0] - KEEP_S
            self._raw = [item for item in self._raw if item[0] >= oldest]

    def rank(self, time_s: NDArray[np.int64], values: Floats, total_t_h: float = float("nan")) -> Ranking:
        """Rank all pipes from rows since the leak began (the last 24 h of them). `total_t_h`: make-up beyond the usual, NaN if not known."""
        rows = _binned(time_s, values, len(self.points))[-MOST_HOURS:]
        if not len(self.twin.candidates) or not self.twin.sensors or not rows:
            return self._flat(total_t_h)
        try:
            return self._ranked(rows, total_t_h)
        except (
            ArithmeticError,
            np.linalg.LinAlgError,
        ):  # a state without a matrix: nothing is known, which is an answer
            return self._flat(total_t_h)

    def _ranked(self, rows: list[tuple[int, Floats]], total_t_h: float) -> Ranking:
        learnt = self._fitted()
        moments = [(at, row, self.twin.moment(row)) for at, row in rows]
        good = [(at, row, moment) for at, row, moment in moments if moment is not None]
        if not good:
            return self._flat(total_t_h)
        now = _rows_of(good, self.twin.columns)
        features = now.features(learnt.fit.rows)
        error = now.measured - now.predicted - learnt.fit.expected(features)
        length_s = float(now.time_s[-1] - now.time_s[0]) + BIN_S
        return self._judged(
            learnt, [moment for _, _, moment in good], error, learnt.fit.doubt(features), length_s, total_t_h
        )

    def _fitted(self) -> _Learnt:
        stamp = (len(self._raw), self._raw[-1][0] if self._raw else 0)
        if self._learnt is not None and (stamp == self._learnt_at or stamp[1] - self._learnt_at[1] < 12 * BIN_S):
            return self._learnt
        raw = self._raw[-MOST_ROWS:]
        if len(self._raw) > MOST_ROWS:
            recent = self._raw[-MOST_ROWS // 2 :]
            older = self._raw[: -MOST_ROWS // 2]
            raw = older[:: max(1, len(older) // (MOST_ROWS // 2))] + recent
        if raw:
            self.twin.calibrate_loads(np.array([row for _, row in raw]))
        solved = [(at, row, moment) for at, row in raw if (moment := self.twin.moment(row)) is not None]
        rows = _rows_of(solved, self.twin.columns)
        is_flow = np.array([sensor.kind == FLOW for sensor in self.twin.sensors])
        fitted = fit(rows, is_flow)
        typical = None
        shapes: list[Floats] = []
        if solved:
            order = np.argsort([moment.flow_sent for _, _, moment in solved])
            typical = solved[int(order[len(order) // 2])][2]
            shapes = self._shapes(typical)
        self._learnt, self._learnt_at = _Learnt(fitted, typical, shapes, {}), stamp
        return self._learnt

    def _shapes(self, moment: Moment) -> list[Floats]:
        """How loads that are 1 (not metered) or 0.1 (metered) of themselves wrong, and plants' pressures by a bar, move the sensors together."""
        twin = self.twin
        response = twin.responses(moment, 0.0)
        flow = moment.state.arrays.stations.flow
        found = []
        for chosen, share in ((~twin.metered, 0.3), (twin.metered, 0.02)):
            part = response.load[:, chosen] * (share * flow[chosen])[None, :]
            found.append(part @ part.T)
        side = np.array([sensor.side for sensor in twin.sensors])
        is_flow = np.array([sensor.kind == FLOW for sensor in twin.sensors])
        loss = np.nan_to_num(moment.reference - moment.predicted)
        for on in (SUPPLY, RETURN):
            mode = np.where((side == on) & ~is_flow, 1.0, 0.0)
            found.append(np.outer(mode, mode) * 0.005**2)
            scale = np.where((side == on) & ~is_flow, loss, 0.0)
            found.append(np.outer(scale, scale) * 0.02**2)
        return found

    def _judged(
        self, learnt: _Learnt, moments: list[Moment], error: Floats, doubt: Floats, length_s: float, total_t_h: float
    ) -> Ranking:
        known = np.isfinite(total_t_h) and total_t_h > 0.0
        q0 = total_t_h if known else USUAL_LEAK_T_H
        spread = 0.15 * q0 + 0.5 if known else USUAL_SPREAD_T_H
        mean = robust_mean(error)
        here = np.flatnonzero(np.isfinite(mean))
        if len(here) > MOST_SENSORS:
            here = here[np.linspace(0, len(here) - 1, MOST_SENSORS).astype(int)]
        if not len(here):
            return self._flat(total_t_h)
        few = [moments[i] for i in np.unique(np.linspace(0, len(moments) - 1, 3).astype(int))]
        answers = [self.twin.responses(moment, q0 * KG_S_PER_T_H) for moment in few]
        g = self._answer(learnt, answers)[here]
        # with little to learn from, shorter stretches: more of them, and they stray further rather than less
        past = learnt.fit.rows.time_s
        if len(past):
            length_s = min(length_s, max(float(past[-1] - past[0]) / 6.0, 2.0 * BIN_S))
        key = int(length_s // BIN_S)
        if key not in learnt.means:
            learnt.means[key] = block_means(learnt.fit, length_s)
        least = (learnt.fit.sigma**2 / max(len(error), 1) + 1e-6)[here]
        means = learnt.means[key][:, here]
        c = mixed(means, [shape[np.ix_(here, here)] for shape in learnt.shapes], least) + np.diag(doubt[here])
        # modes that may stray further than they were seen to: the plants' gauges, and all losses together
        for shape, floor in zip(learnt.shapes, FLOORS, strict=False):
            c += floor * shape[np.ix_(here, here)]
        e, size = mean[here], (q0 if known else 0.0) * KG_S_PER_T_H
        scores, aside = self._scores(e, g, c, size, spread * KG_S_PER_T_H)
        p = self._posterior(scores)
        # the answer itself is known to some tenth only
        expected = np.abs(g @ p) * q0 * KG_S_PER_T_H
        c += np.diag((0.15 * expected) ** 2)
        scores, aside = self._scores(e, g, c, size, spread * KG_S_PER_T_H)
        temper = self._temper(means, g, c, size, spread * KG_S_PER_T_H)
        p = self._posterior(temper * scores)
        best = int(np.argmax(p))
        solved = np.linalg.solve(c, np.stack([e, g[:, best]], axis=1))
        strength = float(g[:, best] @ solved[:, 1])
        weight = 1.0 / (spread * KG_S_PER_T_H) ** 2
        fits = (float(g[:, best] @ solved[:, 0]) + weight * size) / (strength + weight)
        names = tuple(self.points[int(self.twin.columns[here[i]])].column for i in aside)
        return self._ranking(p, max(fits, 0.0) / KG_S_PER_T_H, names)

    def _answer(self, learnt: _Learnt, answers: list[Responses]) -> Floats:
        """`[S, C]`, corrected by what was learnt of the losses on each sensor's way."""
        leak = np.mean([answer.leak for answer in answers], axis=0)
        is_flow = np.array([sensor.kind == FLOW for sensor in self.twin.sensors])
        factor = np.where(is_flow, 1.0, np.clip(1.0 - learnt.fit.coefficients[:, 1], 0.4, 2.5))
        return np.asarray(leak * factor[:, None], np.float64)

    def _scores(self, e: Floats, g: Floats, c: Floats, size: float, spread: float) -> tuple[Floats, list[int]]:
        """Log-likelihood of each candidate, each sensor lying with probability `LIES`; those that most likely do are set aside, and C
        opened for them (in place)."""
        aside: list[int] = []
        while True:
            inverse = np.asarray(np.linalg.inv(c), np.float64)
            scores, lying = _with_liars(e, g, inverse, size, spread)
            doubt = lying @ self._posterior(scores)
            doubt[aside] = 0.0
            worst = int(np.argmax(doubt))
            if doubt[worst] < SURELY or len(aside) >= max(2, len(e) // 7):
                return scores, aside
            aside.append(worst)
            c[worst, worst] += 1e4 * max(c[worst, worst], e[worst] ** 2)

    def _posterior(self, scores: Floats) -> Floats:
        weight = np.log(self.prior) + scores
        p = np.exp(weight - weight.max())
        return np.asarray(p / p.sum(), np.float64)

    def _temper(self, means: Floats, g: Floats, c: Floats, size: float, spread: float) -> float:
        """The power of the likelihood at which leaks put into leak-free stretches are promised best (mean log of the true one's probability)."""
        if len(means) < 4 or size <= 0.0:
            return 0.5
        drawn = np.minimum(np.searchsorted(np.cumsum(self.prior), np.linspace(0.02, 0.98, 40)), g.shape[1] - 1)
        inverse = np.asarray(np.linalg.inv(c), np.float64)
        weighed = inverse @ g
        strength = np.einsum("sc,sc->c", g, weighed)
        across = weighed.T @ g[:, drawn]
        log_prior = np.log(self.prior)
        totals = np.zeros(len(TEMPERS))
        for mean in means[-12:]:
            cross = (weighed.T @ np.nan_to_num(mean))[:, None] + size * across
            scores = _by_cross(cross, strength[:, None], size, spread)
            for i, temper in enumerate(TEMPERS):
                weight = log_prior[:, None] + temper * scores
                top = weight.max(axis=0)
                totals[i] += np.sum(
                    weight[drawn, np.arange(len(drawn))] - top - np.log(np.exp(weight - top).sum(axis=0))
                )
        return TEMPERS[int(np.argmax(totals))]

    def _ranking(self, p: Floats, size_t_h: float, aside: tuple[str, ...]) -> Ranking:
        names = self.twin.arrays.edge_names("pipes")
        best, near = self.near.best(p, NEAR_M)
        order = [best, *[int(i) for i in np.argsort(-p, kind="stable") if i != best]]
        supply = float(p[self.twin.candidate_side == SUPPLY].sum())
        side = "supply" if supply >= 0.5 else "return"
        pipes = tuple((names[int(self.twin.candidates[i])], float(p[i])) for i in order)
        return Ranking(pipes, side, max(supply, 1.0 - supply), float(size_t_h), near, aside)

    def _flat(self, total_t_h: float) -> Ranking:
        """Nothing is known but lengths."""
        if not len(self.twin.candidates):
            return Ranking((), "", 0.0, float(total_t_h), 0.0)
        found = self._ranking(self.prior, float(total_t_h), ())
        return Ranking(found.pipes, "", found.side_probability, found.size_t_h, found.confidence)


def _log_likelihood(e: Floats, g: Floats, inverse: Floats, size: float, spread: float) -> Floats:
    """`[C]`, q integrated over N(size, spread²), up to what all candidates share."""
    weighed = inverse @ g
    return _by_cross(weighed.T @ e, np.einsum("sc,sc->c", g, weighed), size, spread)


def _by_cross(cross: Floats, strength: Floats, size: float, spread: float) -> Floats:
    """The same from gᵀC⁻¹e and gᵀC⁻¹g: completing the square in q."""
    v = spread * spread
    at_size = size * cross - 0.5 * size * size * strength
    slope = cross - size * strength
    return np.asarray(at_size + 0.5 * (v * slope * slope / (1.0 + v * strength) - np.log1p(v * strength)), np.float64)


def _with_liars(e: Floats, g: Floats, inverse: Floats, size: float, spread: float) -> tuple[Floats, Floats]:
    """`[C]` log-likelihoods with none or one sensor lying, and `[S, C]` each sensor's probability of being that one.

    Leaving sensor i out gains ½ (C⁻¹ε)ᵢ² / (C⁻¹)ᵢᵢ; against it stand the odds and that a lie may be anything.
    """
    weighed = inverse @ g
    strength = np.einsum("sc,sc->c", g, weighed)
    cross = weighed.T @ e
    plain = _by_cross(cross, strength, size, spread)
    weight = 1.0 / (spread * spread)
    q = (cross + weight * size) / (strength + weight)
    left = (inverse @ e)[:, None] - weighed * q[None, :]
    own = np.diag(inverse)
    gain = 0.5 * left**2 / own[:, None] + np.log(LIES / (1.0 - LIES)) - 0.5 * np.log1p(LIE_SIGMAS**2)
    top = np.maximum(gain.max(axis=0), 0.0)
    terms = np.exp(gain - top)
    total = np.exp(-top) + terms.sum(axis=0)
    return plain + top + np.log(total), terms / total


def _size(e: Floats, g: Floats, inverse: Floats, size: float, spread: float) -> float:
    weight = 1.0 / (spread * spread)
    return float((g @ (inverse @ e) + weight * size) / (g @ (inverse @ g) + weight))


def _rows_of(solved: list[tuple[int, Floats, Moment]], columns: NDArray[np.int64]) -> Rows:
    s = len(columns)
    if not solved:
        return Rows(np.zeros(0, np.int64), np.zeros((0, s)), np.zeros((0, s)), np.zeros((0, s)))
    predicted = np.array([moment.predicted for _, _, moment in solved])
    reference = np.array([moment.reference for _, _, moment in solved])
    return Rows(
        np.array([at for at, _, _ in solved], np.int64),
        np.array([row[columns] for _, row, _ in solved]),
        predicted,
        reference - predicted,
    )


def _binned(time_s: NDArray[np.int64], values: Floats, width: int) -> list[tuple[int, Floats]]:
    """Hourly medians, stamped with the mean time of their rows; rows that are further apart stay as they are."""
    times = np.atleast_1d(np.asarray(time_s, np.float64))
    table = np.asarray(values, np.float64).reshape(len(times), -1) if len(times) else np.zeros((0, width))
    if not len(times) or table.shape[1] != width:
        return []
    table = np.where(np.isfinite(table) & (np.abs(table) < 1e9), table, np.nan)
    good = np.isfinite(times)
    order = np.argsort(times[good], kind="stable")
    times, table = times[good][order], table[good][order]
    hour = (times // BIN_S).astype(np.int64)
    found = []
    for at in np.unique(hour):
        mine = table[hour == at]
        row = mine[0].copy()
        if len(mine) > 1:
            row = np.full(width, np.nan)
            some = np.isfinite(mine).any(axis=0)
            row[some] = np.nanmedian(mine[:, some], axis=0)
        found.append((int(times[hour == at].mean()), row))
    return found
