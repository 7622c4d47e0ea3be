"""What the maintenance fund may be used for (2.7.5): only what lies outside the household meter or the inlet.

Whether the meter or the inlet valve itself counts as outside is left open by the text: the interpretation `fund_meter_itself`.
"""

from collections.abc import Mapping

from nuan.rules.pack import Pack

METER_ITSELF = "fund_meter_itself"
ELIGIBLE, INELIGIBLE, OPEN = "eligible", "ineligible", "open"
WORDS: Mapping[str, tuple[str, str]] = {
    "outside": ("位于计量装置或入户端口以外，可以使用", "outside the meter or inlet: eligible"),
    "inside": (
        "位于计量装置或入户端口以内。保障资金“专项用于热用户分户终端计量装置或者入户端口以外供热设施、设备维修、养护、更新”，不予受理",
        "inside the meter or inlet; the fund is only for what lies outside: refused",
    ),
    "meter_included": (
        "是计量装置或入户端口本身；本地口径：算在内，可以使用",
        "the meter or inlet itself; signed here: included",
    ),
    "meter_excluded": (
        "是计量装置或入户端口本身；本地口径：“以外”不含本身，不予受理",
        "the meter or inlet itself; signed here: not outside, refused",
    ),
    "meter_open": (
        "是计量装置或入户端口本身；“以外”是否含本身，口径未签署，无法判定",
        "the meter or inlet itself; whether it counts is not signed: undecidable",
    ),
    "position_unknown": ("设施位置未登记，无法判定；请先登记位置", "the position is not recorded: undecidable"),
}
OUTCOME = {
    "outside": ELIGIBLE,
    "inside": INELIGIBLE,
    "meter_included": ELIGIBLE,
    "meter_excluded": INELIGIBLE,
    "meter_open": OPEN,
    "position_unknown": OPEN,
}


def branch_of(position: str | None, meter_itself: str | None) -> str:
    """The branch that decides; `meter_itself` is the signed option, None where nobody has signed.

    >>> branch_of("inside", None), branch_of("boundary", "included"), OUTCOME[branch_of("boundary", None)]
    ('inside', 'meter_included', 'open')
    """
    if position in {"outside", "inside"}:
        return str(position)
    if position == "boundary":
        return {"included": "meter_included", "excluded": "meter_excluded"}.get(meter_itself or "", "meter_open")
    return "position_unknown"


def signed_option(pack: Pack) -> str | None:
    return pack.interpretation(METER_ITSELF).chosen
