"""Parsing line protocol, keys to series included: heat meters with serial-number tags, three fields a line, a map of a million ids.

python -m bench.line_protocol [--quick]

Peers in the same run on the same lines: line-protocol-parser (the C parser on PyPI) with a dict of the same million keys, and this
project's own readable parser. Seconds are the process's CPU time: one core.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import line_protocol_parser
import numpy as np

from nuan.telemetry.protocols.line_protocol.columns import columns
from nuan.telemetry.protocols.line_protocol.keys import KeyTable
from nuan.telemetry.protocols.line_protocol.parser import parse

RESULTS = Path(__file__).parent / "results" / "line_protocol.json"
FIELDS = ("supply_temp", "return_temp", "flow")
ROUNDS = 7


def head_of(meter: int) -> str:
    return f"heat,device=8800{meter:07d},site=H01-S{meter % 50:02d}"


def body_of(meters: list[int], time_s: int) -> bytes:
    """One line a meter; numbers of four and five digits, as heat meters send them."""
    lines = (
        f"{head_of(meter)} supply_temp={40 + meter % 2000 / 100:.2f},return_temp={30 + meter % 1500 / 100:.2f},"
        f"flow={meter % 9000 / 1000:.3f} {time_s}"
        for meter in meters
    )
    return "\n".join(lines).encode() + b"\n"


def best(work: Callable[[], object], rounds: int) -> float:
    took = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    return min(took)


def run(quick: bool = False) -> dict[str, object]:
    """Millions of lines a second of one core."""
    ids, count = (30_000, 10_000) if quick else (1_000_000, 100_000)
    meters = -(-ids // len(FIELDS))
    table = KeyTable(meters)
    known: dict[str, int] = {}
    for meter in range(meters):
        numbers = {key: len(FIELDS) * meter + place for place, key in enumerate(FIELDS)}
        table.put(head_of(meter).encode(), {key.encode(): number for key, number in numbers.items()})
        known |= {f"{head_of(meter)} {key}": number for key, number in numbers.items()}
    asked = np.random.default_rng(7).integers(0, meters, count).tolist()
    body = body_of(asked, 1_763_000_000)
    wanted = [len(FIELDS) * meter + place for meter in asked for place in range(len(FIELDS))]

    def ours() -> list[int]:
        return table.resolve(columns(body, "s")).tolist()

    def fast() -> object:
        return table.resolve(columns(body, "s"))

    def c_parser() -> list[int]:
        numbers = []
        for line in body.decode().splitlines():
            read = line_protocol_parser.parse_line(line)
            tags, fields = read["tags"], read["fields"]  # in no order
            head = f"{read['measurement']},device={tags['device']},site={tags['site']}"
            numbers += [known[f"{head} {key}"] for key in FIELDS if key in fields]
        return numbers

    def readable() -> object:
        return parse(body, "s")

    assert ours() == c_parser() == wanted
    assert len(parse(body, "s").lines) == count
    seconds = {
        "parse": best(lambda: columns(body, "s"), ROUNDS),
        "parse_and_map": best(fast, ROUNDS),
        "c_parser_on_pypi_and_dict": best(c_parser, 2),
        "readable_parser_without_map": best(readable, 1),
    }
    rates = {f"{name}_m_lines_per_s": round(count / took / 1e6, 3) for name, took in seconds.items()}
    ours_rate = count / seconds["parse_and_map"]
    return {
        "ids": meters * len(FIELDS),
        "lines": count,
        "bytes_per_line": round(len(body) / count, 1),
        **rates,
        "m_values_per_s": round(len(FIELDS) * ours_rate / 1e6, 2),
        "ratio_to_c_parser_on_pypi": round(seconds["c_parser_on_pypi_and_dict"] / seconds["parse_and_map"], 1),
        "goal_m_lines_per_s": 2.0,
        "equal_results": True,
        "machine": f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="30 000 ids, nothing kept")
    quick = parser.parse_args().quick
    result = run(quick)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
