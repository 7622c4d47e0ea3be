"""What a table of a file import is: its columns with their kinds, and the key that makes a row the same row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "int", "float", "decimal", "bool", "date", "moment"]
"""`decimal` is kept as an integer in `scale` steps (fen, 0.01 m²); `moment` is an aware time, read as UTC+8 where none is written."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column. `zh` are the headers accepted beside `name`; `default` fills an empty cell (None: stays empty)."""

    name: str
    kind: Kind
    zh: tuple[str, ...]
    required: bool = False
    scale: int = 1
    default: object = None
    allowed: tuple[str, ...] = ()
    refers: str = ""
    low: int | None = None
    high: int | None = None
    example: str = ""


@dataclass(frozen=True, slots=True)
class RegistryTable:
    """A table of the registry; `key` is what makes a row the same row."""

    name: str
    zh: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def headers(self) -> Mapping[str, str]:
        """Every accepted header → field name."""
        return {alias: field.name for field in self.fields for alias in (field.name, *field.zh)}

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)
