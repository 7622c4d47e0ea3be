"""Answers of a form that writes: yuan and dates read with a sentence instead of an error, and who is writing."""

from collections.abc import Callable
from datetime import date

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest

from nuan.operations.support_arrears import ArrearsError
from nuan.operations.support_costs import CostError
from nuan.operations.support_funds import FundError
from nuan.operations.support_subsidies import SubsidyError
from nuan.terms.money import MoneyTextError, parse_yuan
from nuan.web.wording import said_by, say


class AnswerError(ValueError):
    """What is wrong with an answer, as a sentence for the person who wrote it."""


REFUSALS = (AnswerError, ArrearsError, CostError, FundError, SubsidyError)


def fen_of(text: str) -> int:
    try:
        return parse_yuan(text)
    except MoneyTextError:
        raise AnswerError(say("金额写元,最多两位小数,如 2400 或 2400.50。")) from None


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AnswerError(say("日期写成 2026-01-15。")) from None


def needed(request: HttpRequest, name: str, words: str) -> str:
    value = str(request.POST.get(name, "")).strip()
    if not value:
        raise AnswerError(say("请填写:{what}。", what=words))
    return value


def actor_of(request: HttpRequest) -> str:
    user = request.user
    return str(getattr(user, "display_name", "") or user.get_username())


def refused(request: HttpRequest, error: Exception) -> None:
    """Say why nothing was written. Sentences of the acts are Chinese / English; the page's language is shown."""
    messages.error(request, said_by(error))


def attempt(request: HttpRequest, write: Callable[[], object]) -> bool:
    """Do what a form asks for and say how it went; whatever an act refuses is a sentence on the page, and nothing is half written."""
    try:
        write()
    except IntegrityError as error:
        taken = "unique" in str(error)
        messages.error(request, say("编号已经登记过。") if taken else say("记录不允许这样登记,没有写入。"))
        return False
    except REFUSALS as error:
        refused(request, error)
        return False
    messages.success(request, say("已登记。"))
    return True
