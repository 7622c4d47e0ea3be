"""Asking the store's writer: what only it can do, while `nuan intake` runs, is laid into its folder and done between two turns.

    <intake>/asks/ask-<id>.json        {"what": "compact"} or {"what": "retain", "policy": text, "now_s": …}
    <intake>/asks/answer-<id>.json     {"state": "working"}, then {"state": "done", …} or {"state": "refused", "why": …}

An ask that was not answered when the process died is done by the next one: both may be done twice.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

from nuan.telemetry.store import Store
from nuan.telemetry.store.errors import StoreBusyError, StoreError
from nuan.telemetry.store.policy import PolicyError, load_policy
from nuan.telemetry.store.retention import RetainReport, retain

FOLDER = "asks"
HEARD_S = 30.0
"""运行参数: so long an ask waits for somebody to take it up; then whoever writes is no intake."""
LOOK_S = 0.2


class AskRefusedError(StoreError):
    """The writer could not do it; its sentence."""


def answer_asks(store: Store, folder: Path) -> int:
    """What was asked, one after the other, by the process that writes; how many. Lanes go on taking in meanwhile."""
    asks = sorted((folder / FOLDER).glob("ask-*.json"))
    for path in asks:
        place = path.parent / path.name.replace("ask-", "answer-", 1)
        question = _read(path)
        if question is None:  # withdrawn
            continue
        _lay(place, {"state": "working"})
        try:
            answer = {"state": "done"} | _do(store, question)
        except (StoreError, PolicyError) as error:
            answer = {"state": "refused", "why": str(error)}
        _lay(place, answer)
        try:
            path.unlink()
        except FileNotFoundError:  # whoever asked went away: nobody reads the answer
            place.unlink()
    return len(asks)


def _do(store: Store, ask: Mapping[str, Any]) -> dict[str, Any]:
    if ask.get("what") == "compact":
        store.absorb(fold_from=1)
        store.compact()
        return {"sequence": store.manifest.sequence}
    if ask.get("what") == "retain":
        return asdict(retain(store, load_policy(str(ask["policy"])), int(ask["now_s"])))
    raise AskRefusedError(f"{ask.get('what')}：写入进程不认识这个请求 / the writer knows no such thing")


def ask(folder: Path, question: Mapping[str, Any], alive: Callable[[], bool] = lambda: True) -> dict[str, Any]:
    """The answer, when it is done. Raises StoreBusyError when nobody takes it up, AskRefusedError with the writer's sentence."""
    name = uuid4().hex
    path, place = (folder / FOLDER / f"{kind}-{name}.json" for kind in ("ask", "answer"))
    path.parent.mkdir(parents=True, exist_ok=True)
    _lay(path, dict(question))
    until = time.monotonic() + HEARD_S
    try:
        while True:
            answer = _read(place)
            if answer is not None and answer["state"] != "working":
                break
            if answer is None and time.monotonic() > until:
                raise StoreBusyError(folder.parent)
            if answer is not None and not alive():
                raise AskRefusedError("写入进程中途停止，请再试 / the writer stopped half way; try again")
            time.sleep(LOOK_S)
    finally:
        path.unlink(missing_ok=True)
        place.unlink(missing_ok=True)
    if answer["state"] == "refused":
        raise AskRefusedError(answer["why"])
    return answer


def let_go(
    root: Path, folder: Path, policy: str, now_s: int, progress: Callable[[int, int], None] | None = None
) -> RetainReport:
    """`retain` by whoever writes: by ourselves where nobody does, by a running intake else. `policy`: a table in YAML."""
    try:
        with Store(root, write=True) as store:
            return retain(store, load_policy(policy), now_s, progress)
    except StoreBusyError:
        answer = ask(folder, {"what": "retain", "policy": policy, "now_s": now_s}, lambda: _written(root))
        return RetainReport(**{name: value for name, value in answer.items() if name != "state"})


@contextmanager
def folded_store(root: Path, folder: Path) -> Iterator[Store]:
    """All that was acknowledged when it began, in segments that stay while it lasts; what comes meanwhile is not in it."""
    try:
        with Store(root, write=True) as writer:
            writer.absorb(fold_from=1 << 60)
            writer.compact()
    except StoreBusyError:
        ask(folder, {"what": "compact"}, lambda: _written(root))
    store = Store(root)
    with store.held():
        store.leave_tail()
        yield store


def _written(root: Path) -> bool:
    """Whether somebody writes the store at this moment."""
    try:
        Store(root, write=True).close()
    except StoreBusyError:
        return True
    return False


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found


def _lay(path: Path, document: Mapping[str, Any]) -> None:
    new = path.with_name(f".{path.name}")
    new.write_text(json.dumps(document), "utf-8")
    new.replace(path)
