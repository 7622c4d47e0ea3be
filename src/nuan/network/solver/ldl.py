"""LDLᵀ of a symmetric matrix whose pattern never changes: order and symbolic part once, numbers again and again.

The matrix of a pipe network is that of a graph: a tree with a few loops. Minimum degree keeps the factor nearly as thin as the
matrix. Up-looking factorisation after Davis, “Algorithm 849: a concise sparse Cholesky factorization package”, ACM TOMS 31 (2005).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def minimum_degree(n: int, ends_a: Ints, ends_b: Ints) -> Ints:
    """Elimination order of a graph of n nodes: always one of those with the fewest neighbours left; its neighbours become a clique.

    Degrees are exact. Neighbours stand in blocks of a growing pool; a clique edge that exists already is not added again.
    """
    degree = np.zeros(n, np.int32)
    for e in range(len(ends_a)):
        if ends_a[e] != ends_b[e]:
            degree[ends_a[e]] += 1
            degree[ends_b[e]] += 1
    start = np.zeros(n, np.int64)
    room = np.zeros(n, np.int64)
    total = 0
    for i in range(n):
        start[i] = total
        room[i] = degree[i] + 2
        total += room[i]
    pool = np.empty(max(total * 2, 16), np.int32)
    used = total
    count = np.zeros(n, np.int32)
    mark = np.full(n, -1, np.int32)
    for e in range(len(ends_a)):
        a, b = ends_a[e], ends_b[e]
        if a != b:
            pool[start[a] + count[a]] = b
            count[a] += 1
            pool[start[b] + count[b]] = a
            count[b] += 1
    for i in range(n):  # parallel edges count once
        kept = 0
        for p in range(start[i], start[i] + count[i]):
            j = pool[p]
            if mark[j] != i:
                mark[j] = i
                pool[start[i] + kept] = j
                kept += 1
        count[i] = kept
    # buckets of nodes by degree, doubly linked
    head = np.full(n + 1, -1, np.int32)
    after = np.full(n, -1, np.int32)
    before = np.full(n, -1, np.int32)
    for i in range(n - 1, -1, -1):
        d = count[i]
        after[i] = head[d]
        if head[d] >= 0:
            before[head[d]] = i
        head[d] = i
    order = np.empty(n, np.int32)
    gone = np.zeros(n, np.bool_)
    mark[:] = -1
    lowest = 0
    for k in range(n):
        while head[lowest] < 0:
            lowest += 1
        v = head[lowest]
        head[lowest] = after[v]
        if after[v] >= 0:
            before[after[v]] = -1
        gone[v] = True
        order[k] = v
        first, last = start[v], start[v] + count[v]
        for p in range(first, last):
            u = pool[p]
            if before[u] >= 0:
                after[before[u]] = after[u]
            else:
                head[count[u]] = after[u]
            if after[u] >= 0:
                before[after[u]] = before[u]
            # u loses v and gains those neighbours of v that it does not have
            kept = 0
            mark[u] = u
            for q in range(start[u], start[u] + count[u]):
                w = pool[q]
                if w != v:
                    pool[start[u] + kept] = w
                    kept += 1
                    mark[w] = u
            need = kept
            for q in range(first, last):
                if mark[pool[q]] != u:
                    need += 1
            if need > room[u]:
                if used + need * 2 > len(pool):
                    larger = np.empty(max(len(pool) * 2, used + need * 2), np.int32)
                    larger[:used] = pool[:used]
                    pool = larger
                for q in range(kept):
                    pool[used + q] = pool[start[u] + q]
                start[u] = used
                room[u] = need * 2
                used += need * 2
            for q in range(first, last):
                w = pool[q]
                if mark[w] != u:
                    pool[start[u] + kept] = w
                    kept += 1
                    mark[w] = u
            count[u] = kept
            after[u] = head[kept]
            before[u] = -1
            if head[kept] >= 0:
                before[head[kept]] = u
            head[kept] = u
            if kept < lowest:
                lowest = kept
    return order


@njit(cache=True, nogil=True, error_model="numpy")
def _symbolic(n: int, ap: Ints, ai: Ints) -> tuple[Ints, Ints]:
    """Elimination tree and column pointers of L, from the upper triangle by columns."""
    parent = np.full(n, -1, np.int32)
    flag = np.full(n, -1, np.int32)
    length = np.zeros(n, np.int32)
    for k in range(n):
        flag[k] = k
        for p in range(ap[k], ap[k + 1]):
            i = ai[p]
            while i < k and flag[i] != k:
                if parent[i] < 0:
                    parent[i] = k
                length[i] += 1
                flag[i] = k
                i = parent[i]
    lp = np.zeros(n + 1, np.int32)
    for k in range(n):
        lp[k + 1] = lp[k] + length[k]
    return parent, lp


@njit(cache=True, nogil=True, error_model="numpy")
def factorise(
    ap: Ints, ai: Ints, ax: Floats, diagonal: Floats, parent: Ints, lp: Ints, li: Ints, lx: Floats, d: Floats
) -> int:
    """Fill li, lx, d for the numbers ax (strict upper triangle) and diagonal. Returns −1, or the column where a pivot is not positive."""
    n = len(diagonal)
    y = np.zeros(n)
    pattern = np.empty(n, np.int32)
    flag = np.full(n, -1, np.int32)
    length = np.zeros(n, np.int32)
    for k in range(n):
        top = n
        flag[k] = k
        for p in range(ap[k], ap[k + 1]):
            i = ai[p]
            y[i] += ax[p]
            size = 0
            while flag[i] != k:
                pattern[size] = i
                size += 1
                flag[i] = k
                i = parent[i]
            while size > 0:
                size -= 1
                top -= 1
                pattern[top] = pattern[size]
        pivot = diagonal[k]
        for s in range(top, n):
            i = pattern[s]
            yi = y[i]
            y[i] = 0.0
            end = lp[i] + length[i]
            for p in range(lp[i], end):
                y[li[p]] -= lx[p] * yi
            lki = yi / d[i]
            pivot -= lki * yi
            li[end] = k
            lx[end] = lki
            length[i] += 1
        if not pivot > 0.0:
            return k
        d[k] = pivot
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def solve(lp: Ints, li: Ints, lx: Floats, d: Floats, x: Floats) -> None:
    """L D Lᵀ x = b in place."""
    n = len(d)
    for j in range(n):
        xj = x[j]
        if xj != 0.0:
            for p in range(lp[j], lp[j + 1]):
                x[li[p]] -= lx[p] * xj
    for j in range(n - 1, -1, -1):
        xj = x[j] / d[j]
        for p in range(lp[j], lp[j + 1]):
            xj -= lx[p] * x[li[p]]
        x[j] = xj


@njit(cache=True, nogil=True, error_model="numpy")
def _pattern(n: int, ends_a: Ints, ends_b: Ints, place: Ints) -> tuple[Ints, Ints, Ints]:
    """Strict upper triangle by columns of the permuted graph, parallel edges merged, and where each edge's number stands (−1: a loop)."""
    counts = np.zeros(n + 1, np.int32)
    low = np.empty(len(ends_a), np.int32)
    high = np.empty(len(ends_a), np.int32)
    for e in range(len(ends_a)):
        a, b = place[ends_a[e]], place[ends_b[e]]
        low[e], high[e] = min(a, b), max(a, b)
        if a != b:
            counts[high[e] + 1] += 1
    for k in range(n):
        counts[k + 1] += counts[k]
    fill = counts[:-1].copy()
    raw = np.empty(counts[n], np.int32)
    edge = np.empty(counts[n], np.int32)
    for e in range(len(ends_a)):
        if low[e] != high[e]:
            raw[fill[high[e]]] = low[e]
            edge[fill[high[e]]] = e
            fill[high[e]] += 1
    ap = np.zeros(n + 1, np.int32)
    ai = np.empty(counts[n], np.int32)
    spot = np.full(len(ends_a), -1, np.int32)
    where = np.full(n, -1, np.int32)
    used = 0
    for k in range(n):
        ap[k] = used
        for p in range(counts[k], counts[k + 1]):
            i = raw[p]
            if where[i] < ap[k] or where[i] >= used or ai[where[i]] != i:
                where[i] = used
                ai[used] = i
                used += 1
            spot[edge[p]] = where[i]
    ap[n] = used
    return ap, ai[:used].copy(), spot


@dataclass(frozen=True, slots=True)
class Symbolic:
    """Everything about a graph's factorisation but the numbers.

    `place[node]` is the row of a node; `spot[edge]` where an edge's off-diagonal number stands in `ax`; parallel edges share a spot.
    """

    place: Ints
    ap: Ints
    ai: Ints
    spot: Ints
    parent: Ints
    lp: Ints

    @classmethod
    def of(cls, n: int, ends_a: Ints, ends_b: Ints) -> "Symbolic":
        """For a graph of n nodes with edges between ends_a and ends_b (int32)."""
        order = minimum_degree(n, ends_a, ends_b)
        place = np.empty(n, np.int32)
        place[order] = np.arange(n, dtype=np.int32)
        ap, ai, spot = _pattern(n, ends_a, ends_b, place)
        parent, lp = _symbolic(n, ap, ai)
        return cls(place, ap, ai, spot, parent, lp)
