"""What the resident is told about a refund: what, why, when. In plain Chinese, kept as it was told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from nuan.policies import catalogue
from nuan.policies.refunds.set_off import GROUND_ZH
from nuan.records.billing.models import RefundBatch, RefundItem, RefundNotice, RefundPayout, RefundSetOff
from nuan.terms.money import format_yuan

HOW = {
    "wechat": "原路退回您付热费的微信",
    "alipay": "原路退回您付热费的支付宝",
    "bank": "转到您在供热企业登记的银行账户",
    "counter": "请带身份证到收费大厅领取",
    "": "供热企业会与您联系，确认怎么付给您；您也可以选择抵下个供暖季的热费",
}


def tell_posted(
    batch: RefundBatch, items: Sequence[RefundItem], payouts: Mapping[int, RefundPayout], set_offs: Mapping[int, RefundSetOff] | None = None
) -> None:  # fmt: skip
    """One notice a home, over all its items of the batch; setting off is told in it, because it works from the telling on."""
    by_home: dict[int, list[RefundItem]] = defaultdict(list)
    for each in items:
        by_home[each.home_id].append(each)
    notices = []
    for home_id, own in by_home.items():
        total = sum(each.amount_fen for each in own)
        kind = RefundNotice.Kind.POSTED if total > 0 else RefundNotice.Kind.WITHDRAWN
        text = _posted(batch, own, payouts.get(home_id)) if total > 0 else _withdrawn(batch, own)
        if set_offs and home_id in set_offs:
            text += _set_off(total, set_offs[home_id])
        notices.append(RefundNotice(batch=batch, home_id=home_id, kind=kind, amount_fen=total, text=text))
    RefundNotice.objects.bulk_create(notices, batch_size=5000)


def _reason(item: RefundItem) -> str:
    try:
        short = catalogue.clause(item.clause).short_zh
    except LookupError:
        short = item.clause
    return f"{short}（条款 {item.clause}）：{format_yuan(item.amount_fen)} 元"


def _when(deadline: date | None) -> str:
    if deadline is None:
        return "当地规定没有写明付款期限。"
    return f"按规定最迟 {deadline.year} 年 {deadline.month} 月 {deadline.day} 日付清。"


def _posted(batch: RefundBatch, items: Sequence[RefundItem], payout: RefundPayout | None) -> str:
    total = sum(each.amount_fen for each in items)
    why = "；".join(_reason(each) for each in items)
    if payout is None:
        return f"{batch.season} 供暖季给您家的退费有补充：{why}。合计 {format_yuan(total)} 元。"
    return (
        f"{batch.season} 供暖季应退您家热费 {format_yuan(total)} 元。为什么退：{why}。{_when(payout.deadline)}"
        f"怎么付：{HOW.get(payout.channel, HOW[''])}。怎么算的，点开下面每一笔就能看到。"
    )


def _set_off(total: int, found: RefundSetOff) -> str:
    left = f"，其余 {format_yuan(rest)} 元付给您" if (rest := total - found.amount_fen) > 0 else "，这次没有要付的"
    return f"其中 {format_yuan(found.amount_fen)} 元抵扣以前多退给您的热费（{GROUND_ZH}）{left}。您不同意抵扣，请打客服电话，或向主管部门反映。"


def tell_undone(found: RefundSetOff, why: str) -> None:
    """A set-off was taken back: the whole refund is paid."""
    text = f"从应退您家的热费里抵扣的 {format_yuan(found.amount_fen)} 元已撤销，会另付给您。原因：{why}。"
    RefundNotice.objects.create(
        batch_id=found.batch_id,
        home_id=found.home_id,
        kind=RefundNotice.Kind.SET_OFF,
        amount_fen=found.amount_fen,
        text=text,
    )


def _withdrawn(batch: RefundBatch, items: Sequence[RefundItem]) -> str:
    total = -sum(each.amount_fen for each in items)
    why = "；".join(_reason(each) for each in items)
    return (
        f"{batch.season} 供暖季给您家的退费有更正，减少 {format_yuan(total)} 元：{why}。原因是作出判定的证据有变。"
        "已经付给您的部分，供热企业会与您联系；有疑问请打客服电话，或向主管部门反映。"
    )


def tell_payouts(payouts: Sequence[RefundPayout], set_off: Mapping[int, int] | None = None) -> None:
    """Paid, failed or set against next season: a notice for each. `set_off`: what of a failed one was taken back meanwhile, by payout."""
    RefundNotice.objects.bulk_create([_of_payout(each, (set_off or {}).get(each.pk, 0)) for each in payouts], batch_size=5000)  # fmt: skip


def _of_payout(payout: RefundPayout, set_off: int) -> RefundNotice:
    fen = format_yuan(payout.amount_fen)
    again = "会再付一次，钱不会少"
    if set_off:
        rest = payout.amount_fen - set_off
        again = f"其中 {format_yuan(set_off)} 元的退费已经更正，不再付" + (
            f"；其余 {format_yuan(rest)} 元会再付" if rest else ""
        )
    texts = {
        RefundPayout.State.PAID: (RefundNotice.Kind.PAID, f"应退您家的 {fen} 元已于 {payout.done_on} 付出，{HOW.get(payout.channel, '请查收')}。"),
        RefundPayout.State.FAILED: (RefundNotice.Kind.FAILED, f"应退您家的 {fen} 元没有付成（{payout.why or '渠道未说明原因'}），{again}。"),
        RefundPayout.State.CREDITED: (RefundNotice.Kind.CREDITED, f"应退您家的 {fen} 元已存入您家的热费余额，抵下个供暖季的热费。"),
    }  # fmt: skip
    kind, text = texts[RefundPayout.State(payout.state)]
    return RefundNotice(
        batch_id=payout.batch_id, home_id=payout.home_id, kind=kind, amount_fen=payout.amount_fen, text=text
    )
