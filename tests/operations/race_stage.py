"""Two at the same moment: where they meet, what both bring back, and a database with some of its keys taken away."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import pytest
from django.db import connection

from nuan.operations import refund_payouts
from nuan.records.billing.models import RefundPayout


class Together:
    """A meeting point in the middle of the work: both have looked, neither has written. Nobody waits for ever."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def wait(self) -> None:
        with suppress(threading.BrokenBarrierError):
            self.barrier.wait(timeout=3)


def meet(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    """Whoever has come out of `module.name` waits for the other."""
    together, work = Together(), getattr(module, name)

    def then_wait(*args: object, **more: object) -> object:
        found = work(*args, **more)
        together.wait()
        return found

    monkeypatch.setattr(module, name, then_wait)


def both(work: Callable[[], object]) -> list[object]:
    """What two threads bring back, or the error that each ran into; each has its own connection."""
    results: list[object] = [None, None]

    def run(place: int) -> None:
        try:
            results[place] = work()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def somebody_sends(
    monkeypatch: pytest.MonkeyPatch, module: Any, payouts: list[RefundPayout], on: date
) -> threading.Thread:
    """Somebody who sends payouts between the look of `module` at what is owed and the payouts that it makes from that."""
    look = module.owed_by_home

    def send() -> None:
        refund_payouts.send_payouts(payouts, channel="bank", on=on, actor="周会计")
        connection.close()

    sender = threading.Thread(target=send)

    def then_they_send(company: str, homes: list[int], account: str) -> dict[int, int]:
        owed = look(company, homes, account)
        if not sender.ident:
            sender.start()
            sender.join(3)
        return owed

    monkeypatch.setattr(module, "owed_by_home", then_they_send)
    return sender


@contextmanager
def without(*indexes: str) -> Iterator[None]:
    """The database without some of its unique keys; made again once the tables are empty."""
    again: list[str] = []
    with connection.cursor() as cursor:
        for name in indexes:
            cursor.execute("SELECT indexdef, tablename FROM pg_indexes WHERE indexname = %s", [name])
            definition, table = cursor.fetchone()
            cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname = %s", [name])
            owned = cursor.fetchone()[0]
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}" if owned else f"DROP INDEX {name}")
            rest = definition.split(" USING btree ")[1]
            again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE {rest}" if owned else definition)
    try:
        yield
    finally:
        sql(
            "TRUNCATE billing_refunditem, billing_refundbatch, billing_payment, billing_paymentfile, billing_allocation CASCADE",
            *again,
        )
