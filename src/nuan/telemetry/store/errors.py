"""What can go wrong with a store, each with its own sentence."""

from pathlib import Path


class StoreError(Exception):
    """Anything that the store refuses or cannot do."""


class StoreBusyError(StoreError):
    def __init__(self, root: Path) -> None:
        super().__init__(
            f"{root}：另一个进程正在写（运行中的 nuan intake 一直在写） / another process writes to the store; a running intake always does"
        )


class StoreFullError(StoreError):
    """The disk would not take it. The readings of this call are not acknowledged; everything acknowledged before stands."""

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(
            f"could not write {path.name}: {cause.strerror}. Nothing acknowledged is lost; make room and send again"
        )


class StoreDamagedError(StoreError):
    """Bytes that were once acknowledged do not read back. Never repaired silently: restore the file from a copy."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")


class StoreReadOnlyError(StoreError):
    def __init__(self) -> None:
        super().__init__("the store was opened for reading")


class UnknownSeriesError(StoreError):
    def __init__(self, key: object) -> None:
        super().__init__(f"no series {key} in the store")
