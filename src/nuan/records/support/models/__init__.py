"""保障资金: assets and repairs, the cost ledger, maintenance funds, subsidies, arrears of government, plans."""

from nuan.records.support.models.arrears import (
    DebtPayment,
    FundingSource,
    FundingUse,
    GovernmentDebt,
    Instalment,
    SettlementPlan,
)
from nuan.records.support.models.costs import Asset, CostEntry, Repair
from nuan.records.support.models.funds import FundAccount, FundApplication, FundDecision, FundMovement
from nuan.records.support.models.plans import LocalPlan, NilReport, PlanTask
from nuan.records.support.models.subsidies import Beneficiary, SubsidyPayment, SubsidyProgramme

__all__ = [
    "Asset", "Beneficiary", "CostEntry", "DebtPayment", "FundAccount", "FundApplication", "FundDecision", "FundMovement",
    "FundingSource", "FundingUse", "GovernmentDebt", "Instalment", "LocalPlan", "NilReport", "PlanTask", "Repair",
    "SettlementPlan", "SubsidyPayment", "SubsidyProgramme",
]  # fmt: skip
