"""Text keys to numbers: every key its own, none confused, however the table grew."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.protocols.line_protocol import keys as keys_module
from nuan.telemetry.protocols.line_protocol.columns import columns
from nuan.telemetry.protocols.line_protocol.keys import MISS, KeyTable

words = st.text("abcxyz0189-_", min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(words, st.lists(words, min_size=1, max_size=6, unique=True), min_size=1, max_size=40))
def test_a_dict_says_the_same(wanted: dict[str, list[str]]) -> None:
    table, oracle = KeyTable(1), {}
    for head, fields in wanted.items():
        # in two steps, so that a record is written again with more fields
        for part in (fields[:2], fields[2:]):
            numbers = {key.encode(): len(oracle) + place for place, key in enumerate(part)}
            table.put(head.encode(), numbers)
            oracle |= {(head, key.decode()): number for key, number in numbers.items()}
    assert len(table) == len(wanted)
    asked = [(head, key) for head in [*wanted, "none"] for key in ["other", *reversed(wanted.get(head, [])), "x"]]
    body = "\n".join(f"{head} {key}=1" for head, key in asked).encode()
    assert table.resolve(columns(body)).tolist() == [oracle.get(pair, MISS) for pair in asked]


def test_fields_in_another_order_and_unknown_ones_between() -> None:
    table = KeyTable()
    table.put(b"m,d=1", {b"a": 1, b"b": 2, b"c": 3})
    assert table.resolve(columns(b"m,d=1 c=1,x=1,a=1,b=1,b=1,aa=1")).tolist() == [3, MISS, 1, 2, 2, MISS]


def test_a_refusal_is_a_number_below_zero() -> None:
    table = KeyTable()
    table.put(b"m", {b"a": -5, b"b": -2, b"c": 2**31 - 1})
    assert table.resolve(columns(b"m a=1,b=1,c=1")).tolist() == [-5, -2, 2**31 - 1]


def test_the_same_tags_in_another_order_are_another_head() -> None:
    """Both lead to the same point, each by its own record: sorting would cost more than a second record."""
    table = KeyTable()
    table.put(b"m,a=1,b=2", {b"f": 1})
    assert table.resolve(columns(b"m,b=2,a=1 f=1")).tolist() == [MISS]


def test_one_hash_for_all_and_still_no_confusion() -> None:
    """Bytes are compared, not only hashes: with all keys in one chain of slots each finds its own."""
    table = KeyTable(256)
    body = b"\n".join(b"m,d=%d f=1" % number for number in range(200))
    lines = columns(body)
    for number in range(200):
        table.put(b"m,d=%d" % number, {b"f": number})
    marks = {int(table._slots[slot, 0]) for slot in range(len(table._slots)) if table._slots[slot, 1]}
    assert len(marks) == 200
    # the same records under one forged hash
    records = sorted(int(at) for at in table._slots[:, 1] if at)
    table._slots[:] = 0
    table._slots[: len(records), 0] = 0
    table._slots[: len(records), 1] = records
    data = lines.data
    found = [
        keys_module._find(
            data, int(lines.head[row]), int(lines.head_end[row]), np.uint64(0), table._slots, table._words
        )[1]
        for row in range(200)
    ]
    assert found == records


def test_it_grows_to_many_heads() -> None:
    table = KeyTable(4)
    heads = [b"heat,device=8800%07d,site=H%d" % (number, number % 50) for number in range(30_000)]
    for number, head in enumerate(heads):
        table.put(head, {b"t": number})
    order = np.random.default_rng(3).permutation(len(heads))
    body = b"\n".join(heads[number] + b" t=1" for number in order.tolist())
    assert table.resolve(columns(body)).tolist() == order.tolist()
