"""What is closed at the end of a `with`, however it ends."""

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """`with Store(…) as store:` and the like."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
