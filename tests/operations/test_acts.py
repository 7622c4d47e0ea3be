"""An act is one transaction and one audit row, or nothing at all."""

import threading

import pytest
from django.db import IntegrityError, connection

from nuan.operations.acts import NoActorError, _listeners, act, on_act, verify_chain
from nuan.records.audit.models import AuditEntry
from nuan.records.registry.models import Banner


@pytest.mark.django_db
def test_the_row_says_who_what_and_why() -> None:
    with act(
        "add_banner", actor="刘科", subject="150699", clause="2.6.1", why="新设", details={"from": "form"}
    ) as record:
        Banner.objects.create(code="150699", name="新区")
        record.details["homes"] = 0
    row = AuditEntry.objects.get()
    assert (row.actor, row.act, row.subject, row.clause, row.why) == ("刘科", "add_banner", "150699", "2.6.1", "新设")
    assert row.details == {"from": "form", "homes": 0}


@pytest.mark.django_db
def test_what_fails_leaves_nothing_behind() -> None:
    with pytest.raises(IntegrityError), act("add_banner", actor="刘科"):
        Banner.objects.bulk_create(Banner(code="150699", name=name) for name in ("新区", "又一个"))
    assert not AuditEntry.objects.exists()
    assert not Banner.objects.filter(code="150699").exists()


@pytest.mark.django_db
def test_nobody_does_nothing() -> None:
    with pytest.raises(NoActorError), act("add_banner", actor=" "):
        pass


@pytest.mark.django_db
def test_listeners_hear_of_committed_acts_only(django_capture_on_commit_callbacks) -> None:
    heard: list[str] = []
    listener = on_act(lambda entry: heard.append(entry.act))
    try:
        with django_capture_on_commit_callbacks(execute=True):
            with act("first", actor="刘科"):
                pass
            with pytest.raises(RuntimeError), act("second", actor="刘科"):
                raise RuntimeError
            with act("third", actor="刘科") as record:
                record.nothing_changed = True
    finally:
        _listeners.remove(listener)
    assert heard == ["first"]


@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_time_make_one_chain() -> None:
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        barrier.wait()
        for turn in range(5):
            with act("meet", actor="陈调度", subject=f"{number}-{turn}"):
                pass
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AuditEntry.objects.count() == 20
    assert verify_chain() == []
