"""Which rules apply where: the pack of each banner with the interpretations signed in the records, and its season."""

import re
from dataclasses import dataclass
from datetime import datetime

from nuan.policies import catalogue
from nuan.policies.refunds.law import season_rule
from nuan.records.registry.models import Banner
from nuan.records.supervision.models import SignedInterpretation
from nuan.rules.interpretation import Signed
from nuan.rules.pack import Pack
from nuan.terms.season import Season


class SeasonUnknownError(LookupError):
    """The pack of a place does not say when it heats, and nobody may guess."""

    def __init__(self, pack: str, season: str) -> None:
        self.pack = pack
        super().__init__(
            f"规则包 {pack} 未载明供热期起止日，{season} 季不能判定；请改用写明起止日的规则包（旗区的 pack，或 --pack） / "
            f"the pack {pack} does not say when the season {season} begins and ends"
        )


class SeasonKeyError(ValueError):
    def __init__(self, text: str) -> None:
        super().__init__(f"“{text}” is no season; write it like 2025-2026")


@dataclass(frozen=True)
class CityPacks:
    """`by_banner` names the pack of every banner; `packs` and `seasons` are by pack name."""

    by_banner: dict[str, str]
    packs: dict[str, Pack]
    seasons: dict[str, Season]

    def versions(self) -> dict[str, str]:
        return {name: pack.version for name, pack in self.packs.items()}


def signed_records(known_at: datetime | None = None) -> list[Signed]:
    """Interpretations signed in the records, those of `known_at`'s day included."""
    rows = SignedInterpretation.objects.order_by("id")
    if known_at is not None:
        rows = rows.filter(signed_on__lte=known_at)
    return [
        Signed(row.key, row.option, row.pack, row.valid_from, row.signed_by, row.signed_on, row.reason) for row in rows
    ]


def season_of(pack: Pack, key: str) -> Season:
    """The season `2025-2026` as this pack bounds it."""
    if not re.fullmatch(r"\d{4}-\d{4}", key):
        raise SeasonKeyError(key)
    year = int(key[:4])
    rule = season_rule(pack, datetime(year, 12, 31).date())  # noqa: DTZ001 -- only its date counts
    if rule is None:
        raise SeasonUnknownError(pack.name, key)
    season = rule.season(year)
    if season.key != key:
        raise SeasonKeyError(key)
    return season


def city_packs(season_key: str, pack_name: str | None = None) -> CityPacks:
    """`pack_name` is used for every banner in place of its own."""
    by_banner = {code: pack_name or pack for code, pack in Banner.objects.order_by("code").values_list("code", "pack")}
    signed = signed_records()
    packs = {name: catalogue.pack(name, signed) for name in sorted(set(by_banner.values()))}
    return CityPacks(by_banner, packs, {name: season_of(pack, season_key) for name, pack in packs.items()})
