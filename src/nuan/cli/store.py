"""`nuan store`: the folder of readings: fold, let go, verify, count, back up and put back. Needs no database."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from nuan.telemetry.store import Store

json_option = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
root_option = click.option(
    "--root", type=click.Path(file_okay=False, path_type=Path), default=None, help="the folder  [default: NUAN_HOME/readings]"
)  # fmt: skip


@click.group("store", context_settings={"help_option_names": ["-h", "--help"]})
def store() -> None:
    """The readings on disk: fold, let go, verify, back up, put back.

    Exit code 0: done; 1: something is wrong with what is on disk; 2: not possible (no store, somebody else writes, not agreed to).
    """


def _root(root: Path | None) -> Path:
    return root or Path(os.environ.get("NUAN_HOME", "var")) / "readings"


@contextmanager
def _writing(root: Path | None) -> Iterator["Store"]:
    from nuan.telemetry.store import Store, StoreError

    if not (place := _root(root)).is_dir():
        raise _Impossible(f"{place}：没有读数库 / there is no store")
    try:
        with Store(place, write=True) as opened:
            yield opened
    except StoreError as error:
        raise _Impossible(str(error)) from error


class _Impossible(click.ClickException):
    exit_code = 2


@contextmanager
def _bar(what: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done + 1, total=total)


def _say(as_json: bool, document: dict[str, Any], sentence: str) -> None:
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else sentence)


@store.command()
@root_option
@json_option
def compact(root: Path | None, as_json: bool) -> None:
    """Take over what the intake's lanes hold and fold the journal into segments.

    A running `nuan intake` does this by itself; then this command says that somebody else writes, and leaves.
    """
    with _writing(root) as opened:
        taken = opened.absorb(fold_from=1 << 60)
        folded = opened.compact()
    document = {"taken_over": taken.readings, "folded": folded, "series": taken.new_series}
    _say(as_json, document, f"接收 {taken.readings:,} 条，归并 {folded:,} 条读数。")


@store.command()
@root_option
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="a table in YAML  [default: the product's]",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="the day from which ages are counted  [default: today]",
)
@click.option("--dry-run", is_flag=True, help="only say what would go")
@click.option("--yes", is_flag=True, help="do not ask")
@json_option
def retain(root: Path | None, policy: Path | None, as_of: datetime | None, dry_run: bool, yes: bool, as_json: bool) -> None:  # fmt: skip
    """Let go of what the policy no longer keeps: fast points become minutes, quarters and hours, month by month.

    Room temperatures and meters are evidence and stay, unless a policy names the ground. Hours stay what they were: a season that is
    judged again comes out the same. Asks before anything is removed. Beside a running intake its writer does it, and goes on taking in.

    \b
    nuan store retain --dry-run
    nuan store retain --policy retention.yaml --yes
    """
    from nuan.operations.intake_settings import intake_folder
    from nuan.operations.store_asks import let_go
    from nuan.telemetry.store import Store, StoreError
    from nuan.telemetry.store.policy import PolicyError, default_text, load_policy
    from nuan.telemetry.store.retention import plan

    text = policy.read_text("utf-8") if policy else default_text()
    try:
        table = load_policy(text)
    except PolicyError as error:
        raise _Impossible(str(error)) from error
    now_s = int(as_of.replace(tzinfo=UTC).timestamp()) if as_of else int(time.time())
    if not _root(root).is_dir():
        raise _Impossible(f"{_root(root)}：没有读数库 / there is no store")
    todo = plan(Store(_root(root)).manifest, table, now_s)
    rows = todo.summary()
    if not as_json:
        _show(rows)
    if dry_run or not rows:
        _say(as_json, {"dry_run": dry_run, "would_go": rows}, "" if rows else "没有到期的读数。")
        return
    if not yes and not click.confirm(
        "删除后只能从备份恢复原始值。继续？ / Raw values come back only from a backup. Go on?"
    ):
        raise _Impossible("未改动 / nothing was done")
    try:
        with _bar("降采样", as_json) as progress:
            done = let_go(_root(root), intake_folder(_root(root).parent), text, now_s, progress)
    except StoreError as error:
        raise _Impossible(str(error)) from error
    sentence = (
        f"{done.readings:,} 条读数成为 {done.steps:,} 个统计值，腾出 {_size(done.bytes_freed - done.bytes_written)}。"
    )
    if done.late:
        sentence += f"另有 {done.late:,} 条迟到的读数，其时段已封存，未计入。"
    _say(as_json, asdict(done), sentence)


def _show(rows: list[dict[str, object]]) -> None:
    table = Table("量", "月份", "精度", "行数", "大小")
    for row in rows:
        table.add_row(
            str(row["quantity"]), str(row["month"]), str(row["kind"]), f"{row['rows']:,}", _size(int(str(row["bytes"])))
        )
    if rows:
        Console().print(table)


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if abs(size) >= 1e9 else f"{size / 1e6:.1f} MB"


@store.command()
@root_option
@click.option(
    "--backup",
    "target",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="verify a backup instead",
)
@click.option("--snapshot", default=None, help="which one  [default: the newest]")
@json_option
def verify(root: Path | None, target: Path | None, snapshot: str | None, as_json: bool) -> None:
    """Read every file and compare it with what was written: segments, steps, journal, lanes and their dead letters."""
    from nuan.telemetry.store import StoreError
    from nuan.telemetry.store.backup import check_backup

    try:
        if target is not None:
            with _bar("校验备份", as_json) as progress:
                faults = check_backup(target, snapshot, progress)
        elif not _root(root).is_dir():
            raise _Impossible(f"{_root(root)}：没有读数库 / there is no store")
        else:
            faults = _verified(_root(root))
    except StoreError as error:
        faults = [str(error)]
    _say(as_json, {"faults": faults}, "\n".join(faults) or "逐字节核对无误。 / Every byte is what was written.")
    if faults:
        raise SystemExit(1)


def _verified(root: Path) -> list[str]:
    """Of one state, whose files stay as long as they are read: a running intake folds meanwhile. Where nothing can be written nobody folds."""
    from nuan.telemetry.store import Store

    store = Store(root)
    with store.held() if os.access(root, os.W_OK) else nullcontext():
        return store.verify()


@store.command()
@root_option
@json_option
def stats(root: Path | None, as_json: bool) -> None:
    """How much there is, by quantity, and what it costs."""
    from nuan.telemetry.store import Store

    if not _root(root).is_dir():
        raise _Impossible(f"{_root(root)}：没有读数库 / there is no store")
    opened = Store(_root(root))
    about = opened.stats()
    kinds: dict[tuple[str, str], list[int]] = {}
    for segment in opened.manifest.segments:
        _count(kinds, segment.quantity, "raw", segment.readings, segment.bytes)
    for file in opened.manifest.steps:
        _count(kinds, file.quantity, f"{file.step_s}s", file.rows, file.bytes)
    rows = [{"quantity": q, "kind": kind, "rows": n, "bytes": size} for (q, kind), (n, size) in sorted(kinds.items())]
    if as_json:
        click.echo(
            json.dumps(asdict(about) | {"bytes_per_reading": round(about.bytes_per_reading, 3), "quantities": rows})
        )
        return
    click.echo(f"{about.series:,} 个测点，{about.readings:,} 条读数，待归并 {about.waiting:,} 条；共 {_size(about.bytes)}，"
               f"每条 {about.bytes_per_reading:.2f} 字节。")  # fmt: skip
    table = Table("量", "精度", "行数", "大小")
    for row in rows:
        table.add_row(str(row["quantity"]), str(row["kind"]), f"{row['rows']:,}", _size(int(str(row["bytes"]))))
    Console().print(table)


def _count(kinds: dict[tuple[str, str], list[int]], quantity: str, kind: str, rows: int, size: int) -> None:
    entry = kinds.setdefault((quantity, kind), [0, 0])
    entry[0], entry[1] = entry[0] + rows, entry[1] + size


@store.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@root_option
@click.option("--name", default=None, help="of the snapshot  [default: this moment, UTC]")
@json_option
def backup(target: Path, root: Path | None, name: str | None, as_json: bool) -> None:
    """Add a snapshot to the backup folder TARGET while everything goes on working.

    Files that an earlier snapshot has are not copied again. Put TARGET on another disk.
    """
    from nuan.telemetry.store import StoreError
    from nuan.telemetry.store.backup import backup as copy

    try:
        with _bar("备份", as_json) as progress:
            done = copy(_root(root), target, name or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), progress)
    except StoreError as error:
        raise _Impossible(str(error)) from error
    document = {"snapshot": done.name, "files": len(done.files), "bytes": done.bytes, "copied": done.copied}
    _say(
        as_json,
        document,
        f"快照 {done.name}：{len(done.files)} 个文件 {_size(done.bytes)}，新拷贝 {_size(done.copied)}。",
    )


@store.command()
@click.argument("target", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--snapshot", default=None, help="which one  [default: the newest]")
@json_option
def restore(target: Path, folder: Path, snapshot: str | None, as_json: bool) -> None:
    """Put a snapshot of the backup TARGET into the empty FOLDER, and verify it.

    A damaged backup is refused before anything is written.
    """
    from nuan.telemetry.store import StoreError
    from nuan.telemetry.store.backup import restore as put_back

    try:
        with _bar("恢复", as_json) as progress:
            done = put_back(target, folder, snapshot, progress)
    except StoreError as error:
        raise _Impossible(str(error)) from error
    document = {"snapshot": done.name, "files": len(done.files), "bytes": done.bytes}
    _say(as_json, document, f"已恢复快照 {done.name} 到 {folder}，校验无误。")
