"""What a refund rests on, reckoned again before anybody is paid: the same rules over the same facts, home by home, to the fen.

Works on whole groups of homes at once (a run, a pack, a clause), so that a hundred thousand take seconds; the words of one home's
working come from `explaining`, by the same rule with its trace on.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import polars as pl

from nuan.operations.city_packs import CityPacks, season_of, signed_records
from nuan.operations.judging_basis import basis
from nuan.policies import catalogue
from nuan.records.registry.models import Banner
from nuan.records.supervision.models import Judgement, Run

REFUNDING = ("2.5.3a", "2.5.3b")
"""Clauses whose `amount_fen` is owed to the home. Both reckon from records alone, no readings."""
ONE_PIECE = 1
"""Buckets: without readings the homes need not be cut up."""


def reckoned_again(judgements: Iterable[Judgement]) -> dict[int, int | None]:
    """Judgement id → the fen that the rule gives now from the facts as of the judgement's run; absent where it gives none at all."""
    groups: dict[tuple[int, str, str], list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        groups[judgement.run_id, judgement.pack, judgement.clause].append(judgement)
    runs = Run.objects.in_bulk({run for run, *_ in groups})
    found: dict[int, int | None] = {}
    for (run_id, pack_name, clause), members in groups.items():
        found |= _group(runs[run_id], pack_name, clause, members)
    return found


def _group(run: Run, pack_name: str, clause_id: str, members: Sequence[Judgement]) -> dict[int, int | None]:
    pack = catalogue.pack(pack_name, signed_records())
    banners = Banner.objects.order_by("code").values_list("code", flat=True)
    packs = CityPacks(dict.fromkeys(banners, pack.name), {pack.name: pack}, {pack.name: season_of(pack, run.season)})
    stand = basis(run.season, int(run.as_of.timestamp()), packs, ONE_PIECE, sorted({each.subject for each in members}))
    clause = catalogue.clause(clause_id)
    frames = [clause.judge(stand.book(pack.name, piece.tables()), pack).frame for piece in stand.pieces()]
    if not frames:
        return {}
    rows = pl.concat(frames).select("subject", "item", "amount_fen").iter_rows()
    fen = {(subject, run.season if item == "season" else item): amount for subject, item, amount in rows}
    return {each.pk: fen[each.subject, each.item] for each in members if (each.subject, each.item) in fen}
