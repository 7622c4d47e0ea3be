"""The words of the trade, once: English identifier, Chinese label, and what is meant. Pages and code use no others for these things."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    en: str
    zh: str
    meaning: str


GLOSSARY: tuple[Word, ...] = (
    Word("heating season", "采暖期", "the days on which heat is owed; both boundary days count in full unless a law turns at noon"),
    Word("season fee", "采暖季热费", "what a home's contract costs for one season, in fen"),
    Word("base fee", "基本热费", "the part of the fee owed for being connected, also by a home that stopped its heat"),
    Word("stopped heat", "停热", "a home that has its heat shut off by agreement for the season"),
    Word("metered home", "计量用户", "a home billed by its heat meter beside the base fee"),
    Word("heat source", "热源", "a plant that burns fuel or gives waste heat to the primary network"),
    Word("primary network", "一次网", "pipes from the heat source to the substations"),
    Word("secondary network", "二次网", "pipes from a substation to the buildings"),
    Word("substation", "换热站", "where primary water heats secondary water; the place most readings come from"),
    Word("loop", "环路", "one circuit of a substation: high zone, low zone, floor heating"),
    Word("supply", "供水", "water on its way to the homes"),
    Word("return", "回水", "water on its way back"),
    Word("make-up water", "补水", "water added for what the network loses"),
    Word("supply curve", "供热调节曲线", "which supply temperature the outdoor temperature asks for"),
    Word("throttling", "降温运行、限供", "supplying less than the weather asks for, day after day"),
    Word("over-heating", "过量供热", "rooms kept above what is asked, and the heat wasted by it"),
    Word("late start, early stop", "晚开早停", "heat that comes after the season has begun or goes before it ends"),
    Word("outage", "停热事件", "an interruption of heat at a source, substation, loop, building or home"),
    Word("formal measurement", "入户测温", "a measurement by the protocol of the law, with signatures; not a wall sensor"),
    Word("wall sensor", "室温采集器", "a sensor that reports by itself; whether it is evidence is an interpretation"),
    Word("covered hour", "有效小时", "an hour with at least one trusted reading"),
    Word("home-day", "户日", "one home on one local day"),
    Word("clause", "条款", "one numbered demand of the directive or a law"),
    Word("parameter", "参数", "a number of the law with its dates, comparison word and source"),
    Word("interpretation", "解释口径", "a signed answer to what a law leaves open"),
    Word("jurisdiction pack", "地区规则包", "the parameters and interpretations of one place, layered on those above it"),
    Word("not stated", "未载明", "the law at hand does not say; never replaced by a guess"),
    Word("judgement", "判定", "met, breached or undecidable, with value, threshold, branch and money"),
    Word("met", "达标", "the demand was kept"),
    Word("breached", "不达标", "the demand was broken"),
    Word("undecidable", "无法判定", "facts, parameter or interpretation are missing; the reason is named"),
    Word("refund", "退费", "fen owed back to a home, with its working"),
    Word("days of cover", "可用天数", "fuel stock divided by what is burnt a day"),
    Word("mobile heat source", "移动应急热源车", "a vehicle that heats a building while its network cannot"),
    Word("finding", "问题", "a fault in what was handed in: where, what, and what to do"),
    Word("flag", "标记", "what is known against a reading; it travels with it to the page"),
    Word("live point", "测点", "one series as it is now: the newest trusted value, the newest of all, and how old both are"),
    Word("stale", "陈旧", "older than four expected intervals of the quantity: it says nothing about now"),
    Word("alarm", "告警", "a condition that has lasted its delay; two bits: active or cleared, acknowledged or not"),
    Word("hysteresis", "回差", "the limit that clears an alarm lies on the safe side of the one that raises it"),
    Word("to acknowledge", "确认", "somebody says that they have seen an alarm; it ends when it is cleared as well"),
    Word("to shelve", "搁置", "to put an alarm out of sight for a while, with a reason and an end"),
    Word("to fold", "归并", "to put what hangs on an outage under the one alarm of the outage"),
    Word("escalation", "升级", "telling the next role of an alarm that nobody has acknowledged in time"),
    Word("notice", "通知", "something that somebody has to be told; it waits in the outbox (发件箱) until it is sent"),
    Word("operating parameter", "运行参数", "a number of engineering that no law names; who runs the network sets it"),
)  # fmt: skip
