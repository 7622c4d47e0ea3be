"""Maintenance funds: opened, filled, asked for, decided by two people, spent. The database holds every rule again (support 0002)."""

from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum

from nuan.operations.acts import act
from nuan.operations.city_packs import signed_records
from nuan.policies import catalogue
from nuan.policies.support.fund import ELIGIBLE, OUTCOME, WORDS, branch_of, signed_option
from nuan.records.accounts.models import Role, User
from nuan.records.support.models import Asset, FundAccount, FundApplication, FundDecision, FundMovement

NEEDED = 2
APPROVED, REFUSED, INELIGIBLE_STATE, WAITING, PAID = "approved", "refused", "ineligible", "waiting", "paid"


class FundError(ValueError):
    """Why something is not done with a fund."""


class NotYoursError(FundError):
    def __init__(self) -> None:
        super().__init__("只有登录的、有权的人可以办理；接口令牌不行 / a person in charge has to do this, not a token")


class OwnApplicationError(FundError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} 提出的申请须由别人审批 / whoever applied does not decide")


class AlreadyDecidedError(FundError):
    def __init__(self, code: str) -> None:
        super().__init__(f"申请 {code} 已经作出决定 / {code} is decided already")


class NotEligibleError(FundError):
    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"申请 {code} 不能批准：{why}")


class NotApprovedError(FundError):
    def __init__(self, code: str) -> None:
        super().__init__(f"申请 {code} 尚未经两人批准 / {code} is not approved by two people")


class OverdrawnError(FundError):
    def __init__(self) -> None:
        super().__init__("余额不足，或超过申请金额 / the balance or the amount asked for would be exceeded")


class AmountNeededError(FundError):
    def __init__(self) -> None:
        super().__init__("金额须大于零 / the amount must be positive")


class OtherBannerError(FundError):
    def __init__(self, asset: str) -> None:
        super().__init__(f"设施 {asset} 不在这个旗区 / the asset lies in another banner")


def eligibility_of(asset: Asset) -> str:
    """The branch of the rule of 2.7.5 for an asset, by what is signed in its banner."""
    return branch_of(asset.position, signed_option(catalogue.pack(asset.banner.pack, signed_records())))


def reason_of(branch: str) -> tuple[str, str]:
    return WORDS[branch]


def balance_fen(account: FundAccount) -> int:
    return int(account.movements.aggregate(sum=Sum("amount_fen"))["sum"] or 0)


def open_fund(*, code: str, banner: str, name: str, opened_on: date, actor: str) -> FundAccount:
    with act("open_fund", actor=actor, subject=code, clause="2.7.5"):
        return FundAccount.objects.create(code=code, banner_id=banner, name=name, opened_on=opened_on)


def deposit_fund(
    *, code: str, account: FundAccount, amount_fen: int, on: date, reference: str, actor: str
) -> FundMovement:
    if amount_fen <= 0:
        raise AmountNeededError
    with act("deposit_fund", actor=actor, subject=account.code, clause="2.7.5", details={"fen": amount_fen}):
        return FundMovement.objects.create(
            code=code,
            account=account,
            kind="deposit",
            amount_fen=amount_fen,
            on=on,
            reference=reference,
            recorded_by=actor,
        )


def apply_fund(
    *, code: str, account: FundAccount, asset: Asset, work: str, amount_fen: int, reason: str, on: date, by: User
) -> FundApplication:
    """An application is recorded even where the rule refuses it: with the words of the clause, so that it is not asked for again.

    Raises AmountNeededError, OtherBannerError, NotYoursError.
    """
    if not isinstance(by, User) or by.role not in {Role.FINANCE, Role.CITY}:
        raise NotYoursError
    if by.role == Role.FINANCE and by.company_id != asset.company_id:
        raise NotYoursError
    if amount_fen <= 0:
        raise AmountNeededError
    if asset.banner_id != account.banner_id:
        raise OtherBannerError(asset.code)
    branch = eligibility_of(asset)
    with act("apply_fund", actor=by.username, subject=code, clause="2.7.5", why=WORDS[branch][0]) as row:
        row.details = {"asset": asset.code, "fen": amount_fen, "eligibility": OUTCOME[branch]}
        return FundApplication.objects.create(
            code=code, account=account, company_id=asset.company_id, asset=asset, work=work, amount_fen=amount_fen, reason=reason,
            eligibility=OUTCOME[branch], branch=branch, applied_on=on, applied_by=by,
        )  # fmt: skip


def decide_fund_application(application: FundApplication, *, by: User, approve: bool, why: str = "") -> FundDecision:
    """One person's yes or no. Raises NotYoursError, OwnApplicationError, NotEligibleError, AlreadyDecidedError."""
    if not isinstance(by, User) or not by.is_active:
        raise NotYoursError
    if not (by.role == Role.CITY or (by.role == Role.BANNER and by.banner_id == application.account.banner_id)):
        raise NotYoursError
    if by.pk == application.applied_by_id:
        raise OwnApplicationError(by.username)
    if approve:
        _still_eligible(application)
    name = "approve_fund_application" if approve else "refuse_fund_application"
    with act(name, actor=by.username, subject=application.code, clause="2.7.5", why=why):
        if state_of(FundApplication.objects.select_for_update().get(pk=application.pk)) != WAITING:
            raise AlreadyDecidedError(application.code)
        if application.decisions.filter(decided_by=by).exists():
            raise AlreadyDecidedError(application.code)
        answer = FundDecision.Answer.APPROVED if approve else FundDecision.Answer.REFUSED
        return FundDecision.objects.create(application=application, answer=answer, why=why[:300], decided_by=by)


def _still_eligible(application: FundApplication) -> None:
    """As it was handed in and as the asset and the signed reading are now: an asset that turns out to lie inside is not paid for."""
    if application.eligibility != ELIGIBLE:
        raise NotEligibleError(application.code, WORDS[application.branch][0])
    branch = eligibility_of(Asset.objects.select_related("banner").get(pk=application.asset_id))
    if OUTCOME[branch] != ELIGIBLE:
        raise NotEligibleError(application.code, WORDS[branch][0])


def state_of(application: FundApplication) -> str:
    """`ineligible`, `waiting`, `refused`, `approved` or `paid`."""
    counted = application.decisions.aggregate(
        yes=Count("id", filter=Q(answer="approved")), no=Count("id", filter=Q(answer="refused"))
    )
    if application.movements.exists():
        return PAID
    if counted["no"]:
        return REFUSED
    if application.eligibility != ELIGIBLE:
        return INELIGIBLE_STATE
    return APPROVED if counted["yes"] >= NEEDED else WAITING


def spend_fund(
    *, code: str, application: FundApplication, amount_fen: int, on: date, reference: str, actor: str
) -> FundMovement:
    """Pay an approved application, in whole or in part. Raises NotApprovedError, OverdrawnError, AmountNeededError."""
    if amount_fen <= 0:
        raise AmountNeededError
    with act("spend_fund", actor=actor, subject=application.code, clause="2.7.5", details={"fen": amount_fen}):
        if state_of(application) not in {APPROVED, PAID}:
            raise NotApprovedError(application.code)
        _still_eligible(application)
        try:
            with transaction.atomic():
                return FundMovement.objects.create(
                    code=code, account_id=application.account_id, kind="spending", amount_fen=-amount_fen, on=on,
                    application=application, reference=reference, recorded_by=actor,
                )  # fmt: skip
        except IntegrityError as error:
            if "balance" in str(error) or "asked for" in str(error):
                raise OverdrawnError from error
            raise
