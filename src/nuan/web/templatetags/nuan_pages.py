"""Tags of the pages: words in two languages, states as word + shape + colour, numbers with their unit, ages, pages of a list."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from nuan.operations.support_costs import PayerDecision
from nuan.records.accounts.models import Role, User
from nuan.records.registry.models import Home
from nuan.terms.money import format_yuan
from nuan.terms.places import CHINA
from nuan.web.board_words import figure
from nuan.web.hazard_words import person as person_name
from nuan.web.journal import masked as masked_name
from nuan.web.live_words import ago as ago_words
from nuan.web.wording import pick, say
from nuan.web.wording import spoken as spoken_word

register = template.Library()

SHAPES = {
    "green": '<circle cx="8" cy="8" r="7" fill="currentColor"/><path d="M4.6 8.2l2.3 2.3 4.5-4.8" stroke="var(--sheet)" stroke-width="1.8" fill="none"/>',
    "amber": '<path d="M8 1l7.4 13.4H.6z" fill="currentColor"/><path d="M8 6v4M8 11.4v1.4" stroke="var(--sheet)" stroke-width="1.6"/>',
    "red": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor"/><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" stroke="var(--sheet)" stroke-width="1.8"/>',
    "grey": '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.4 1.8"/><path d="M5 8h6" stroke="currentColor" stroke-width="1.6"/>',
}
COLOUR_WORDS = {"green": "达标", "amber": "需关注", "red": "不达标", "grey": "暂无判定"}
VERDICTS = {"met": ("green", "达标"), "breached": ("red", "不达标"), "undecidable": ("grey", "无法判定")}


@register.simple_tag
def t(chinese: str, **values: object) -> str:
    return say(chinese, **values)


@register.simple_tag
def state(colour: str, word: str = "") -> SafeString:
    """A coloured word with its own shape, so that the state is readable without colour."""
    shape = mark_safe(SHAPES[colour])
    return format_html(
        '<span class="state state-{}"><svg viewBox="0 0 16 16" aria-hidden="true">{}</svg>{}</span>',
        colour,
        shape,
        say(word or COLOUR_WORDS[colour]),
    )


@register.simple_tag
def verdict(code: str) -> SafeString:
    colour, word = VERDICTS[code]
    return state(colour, word)


@register.simple_tag
def board_figure(stored: str) -> str:
    return figure(stored)


@register.filter
def yuan(fen: int | None) -> str:
    return "—" if fen is None else f"{format_yuan(fen)} {say('元')}"


@register.filter
def plain_yuan(fen: int) -> str:
    """An amount as a field of a form takes it."""
    return f"{fen / 100:.2f}"


@register.filter
def celsius(c100: int | None) -> str:
    """19.6 °C from 1960; a missing temperature is a dash, never a zero."""
    return "—" if c100 is None else f"{Decimal(c100) / 100:.1f} °C"


@register.filter
def local(moment: datetime | None) -> str:
    return "—" if moment is None else timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


@register.filter
def age(moment: datetime | None) -> str:
    """How old something is, in words."""
    if moment is None:
        return say("尚无数据")
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    if minutes < 1:
        return say("刚刚")
    if minutes < 60:
        return say("{n} 分钟前", n=minutes)
    if minutes < 48 * 60:
        return say("{n} 小时前", n=minutes // 60)
    return say("{n} 天前", n=minutes // 1440)


@register.simple_tag(takes_context=True)
def with_query(context: template.RequestContext, **changes: object) -> str:
    """The address of this page with some of its questions changed; an empty value takes a question away."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        query.pop(key, None)
        if value not in ("", None):
            query[key] = str(value)
    return "?" + query.urlencode()


@register.simple_tag(takes_context=True)
def person(context: template.RequestContext, username: str) -> str:
    """Somebody by the name that people know; who has no account (a command, a channel) as it is written. One look a page for each."""
    request = context["request"]
    names: dict[str, str] = request.__dict__.setdefault("_names_of_people", {})
    if username not in names:
        names[username] = (
            User.objects.filter(username=username).values_list("display_name", flat=True).first() or username
        )
    return names[username]


@register.inclusion_tag("web/exports.html", takes_context=True)
def exports(context: template.RequestContext, name: str, *args: object) -> dict[str, object]:
    """The list of this page as files, with the filters that the page has; `name` is an address that ends in a kind of file."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    asked = f"?{query.urlencode()}" if query else ""
    kinds = (("csv", "导出 CSV"), ("xlsx", "导出 Excel"))
    return {"files": [(kind, words, reverse(name, args=[*args, kind]) + asked) for kind, words in kinds]}


@register.filter
def moment(epoch_s: int | None) -> datetime | None:
    return None if epoch_s is None else datetime.fromtimestamp(epoch_s, CHINA)


@register.filter
def hundredths(value: int | None) -> str:
    return "—" if value is None else f"{Decimal(value) / 100:,.2f}"


@register.filter
def svg(value: float) -> str:
    """A number as SVG wants it, whatever the language of the page."""
    return f"{value:.2f}"


@register.filter
def masked(home: Home) -> str:
    return masked_name(home)


@register.filter
def spoken(code: str) -> str:
    """A room or purpose in words; a code that has none is shown as it is."""
    return spoken_word(code)


@register.filter
def ago(then: datetime, now: datetime) -> str:
    """Age against the moment of the page, which in a demo city is not the clock's."""
    return ago_words(int(then.timestamp()), now)


@register.filter
def moments(moment: datetime | None) -> str:
    """To the second."""
    return "—" if moment is None else timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")


@register.filter
def role_words(role: str) -> str:
    return say(Role(role).label) if role in Role.values else role


@register.filter
def percent(share: float) -> str:
    """Never rounded up to 100 %: what is missing stays visible.

    >>> percent(0.99996), percent(1.0)
    ('99.9%', '100%')
    """
    return "100%" if share >= 1 else f"{int(share * 1000) / 10:.1f}%"


@register.filter
def said(chinese: str) -> str:
    """A label of the records in the language of the page."""
    return say(chinese)


@register.filter
def word(words: tuple[str, str]) -> str:
    """One of two texts, (Chinese, English)."""
    return pick(*words)


@register.filter
def because(decision: PayerDecision) -> str:
    """Why a repair is borne by whom it is."""
    return pick(decision.reason_zh, decision.reason_en)


@register.filter("person")
def name_of_user(user: object) -> str:
    """A user's name as people say it; a dash for nobody."""
    return person_name(user)
