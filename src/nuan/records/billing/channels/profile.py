"""A channel's profile: how its file names things, as data. One YAML file in the channel's folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

ROLES = (
    "txn_id", "paid_at", "paid_time", "amount", "ordered", "amount_out", "fee", "kind", "references", "payer", "refund_id",
    "payout", "refund_amount", "state",
)  # fmt: skip
"""What a column may be. `references` names several columns, the most trusted first; the others one, by any of its names."""


class NoSuchChannelError(LookupError):
    def __init__(self, name: str) -> None:
        super().__init__(f"没有渠道“{name}”；有：{'、'.join(channel_names())} / no such channel")


class ProfileError(ValueError):
    def __init__(self, channel: str, what: str) -> None:
        super().__init__(f"{channel}/profile.yaml: {what}")


@dataclass(frozen=True)
class Profile:
    """`confirmed` False = nobody has checked the column list with the channel: 未经确认, and the pages say so.

    `totals` says where the file states its own sums: `header` (a line of names, the values in the next line), `lines` (patterns with
    named groups), or `row` (a line that begins with a word, its values under the file's own columns). `count_of: all` = the count
    takes in refunds too. `variants` are the published numbers of columns by type of file.
    """

    name: str
    label: str
    kind: str
    account: str
    confirmed: bool
    source: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    kinds: Mapping[str, str]
    times: tuple[str, ...]
    strip: str
    comment: str
    totals: Mapping[str, Any]
    variants: Mapping[str, int]


@cache
def channel_names() -> tuple[str, ...]:
    """Folders here that have a profile, in the order of their names."""
    here = files("nuan.records.billing.channels")
    return tuple(sorted(each.name for each in here.iterdir() if each.is_dir() and (each / "profile.yaml").is_file()))


@cache
def profile(name: str) -> Profile:
    """Raises NoSuchChannelError, ProfileError."""
    if name not in channel_names():
        raise NoSuchChannelError(name)
    text = (files("nuan.records.billing.channels") / name / "profile.yaml").read_text("utf-8")
    return load_profile(name, text)


def load_profile(name: str, text: str) -> Profile:
    """A profile from its text. Raises ProfileError with what is wrong."""
    found = yaml.safe_load(text)
    if not isinstance(found, dict):
        raise ProfileError(name, "is no mapping")
    missing = {"label", "kind", "account", "confirmed", "source"} - set(found)
    if missing:
        raise ProfileError(name, f"lacks {', '.join(sorted(missing))}")
    columns = {role: tuple(names) for role, names in (found.get("columns") or {}).items()}
    if unknown := set(columns) - set(ROLES):
        raise ProfileError(name, f"unknown columns {', '.join(sorted(unknown))}; known: {', '.join(ROLES)}")
    required = tuple(found.get("required") or ())
    if unknown := set(required) - set(columns):
        raise ProfileError(name, f"requires columns that it does not name: {', '.join(sorted(unknown))}")
    if found["kind"] == "file" and not found.get("totals"):
        raise ProfileError(name, "a file without control totals cannot be checked; say `totals`")
    return Profile(
        name, str(found["label"]), str(found["kind"]), str(found["account"]), bool(found["confirmed"]), str(found["source"]),
        columns, required, dict(found.get("kinds") or {}), tuple(found.get("times") or ()), str(found.get("strip", "")) + " \t",
        str(found.get("comment", "")), dict(found.get("totals") or {}), dict(found.get("variants") or {}),
    )  # fmt: skip
