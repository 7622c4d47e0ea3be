"""How long readings are kept, and in which steps: a table by quantity, as a person writes it in YAML.

    flow:        {raw_days: 30, steps: {1m: 365, 15m: 1825, 1h: forever}}
    room_temp:   {raw_days: forever}

What is not named is kept as it came. Room temperatures are evidence about money for as long as somebody may claim it: to let them go needs
a ground in words, by whoever answers for it (`ground: …`), and no default gives it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from nuan.terms.quantities import QUANTITIES

EVIDENCE = frozenset({"room_temp", "heat_energy", "water_volume"})
STEP_NAMES: Mapping[str, int] = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400}
FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class Keeping:
    """`raw_days` None: for ever. `steps`: seconds of a step → days to keep it, None for ever."""

    raw_days: int | None
    steps: Mapping[int, int | None]
    ground: str = ""


class PolicyError(ValueError):
    """All that is wrong with a policy, one sentence a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))


def load_policy(text: str) -> dict[str, Keeping]:
    """Raises PolicyError with every fault."""
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise PolicyError([f"不是 YAML / not YAML: {error}"]) from None
    if not isinstance(document, dict):
        raise PolicyError(["应为“量: 保存期”的表 / wanted a table of quantities"])
    faults: list[str] = []
    policy = {str(key): _keeping(str(key), entry, faults) for key, entry in document.items()}
    if faults:
        raise PolicyError(faults)
    return policy


def default_policy() -> dict[str, Keeping]:
    """Stations' fast points go to steps after a month; everything else stays."""
    return load_policy(default_text())


def default_text() -> str:
    """The product's table as it is written."""
    return (files(__package__) / "retention.yaml").read_text("utf-8")


def _keeping(key: str, entry: Any, faults: list[str]) -> Keeping:
    if key not in QUANTITIES:
        faults.append(f"{key}：没有这种量 / no such quantity")
    if not isinstance(entry, dict) or set(entry) - {"raw_days", "steps", "ground"}:
        faults.append(f"{key}：应为 raw_days、steps、ground / wanted raw_days, steps, ground")
        return Keeping(None, {})
    steps = entry.get("steps") or {}
    unknown = [str(name) for name in steps if name not in STEP_NAMES] if isinstance(steps, dict) else [str(steps)]
    if unknown:
        faults.append(f"{key}：没有步长 {'、'.join(unknown)} / no such step; use {', '.join(STEP_NAMES)}")
        steps = {}
    raw = _days(key, entry.get("raw_days", FOREVER), faults)
    kept = {
        STEP_NAMES[name]: _days(key, days, faults)
        for name, days in sorted(steps.items(), key=lambda s: STEP_NAMES[s[0]])
    }
    ground = str(entry.get("ground") or "")
    if raw is not None and key in EVIDENCE and not ground:
        faults.append(
            f"{key}：是退费和结算的证据，不能无依据地删除；写明 ground / evidence about money: name the ground"
        )
    if raw is not None and 3600 not in kept and key not in EVIDENCE:
        faults.append(
            f"{key}：删除原始值前须保留小时值 1h / keep the hours (1h) of what is dropped: judging reads them"
        )
    elif raw is not None and kept.get(3600) is not None and key not in EVIDENCE:
        faults.append(f"{key}：小时值须长期保存（1h: forever）/ hours stay for ever: a season may be judged again")
    return Keeping(raw, kept, ground)


def _days(key: str, value: Any, faults: list[str]) -> int | None:
    if value == FOREVER:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        faults.append(f"{key}：“{value}”不是天数 / not a number of days; a whole number from 1, or {FOREVER}")
        return None
    return value
