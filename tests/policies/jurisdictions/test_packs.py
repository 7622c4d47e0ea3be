"""Packs: every number with its source, every quotation literally in the law, layers, dates, signed records."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from measured import MEASURED, needs
from nuan.rules.interpretation import Signed, UnknownOption
from nuan.rules.pack import Pack, UnknownKey, UnknownPack, contract_layer, load_pack, pack_names

POLICY = MEASURED.parent / "policy"
LAWS = ["shandong", "qingdao", "weifang", "linyi", "taian", "binzhou", "heze", "luoyang"]
DAY = date(2025, 11, 20)


def entries(pack: Pack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every answer of the pack's own layer, tiers one by one."""
    content = pack.layers[0].content
    for section in ("parameters", "interpretations"):
        for key, given in content[section].items():
            for entry in given if isinstance(given, list) else [given]:
                yield key, entry
                if isinstance(entry.get("value"), list):
                    for tier in entry["value"]:
                        if isinstance(tier, dict):
                            yield key, {**tier, "article": entry["article"]}


def law_text(name: str) -> str:
    path = POLICY / "laws" / name
    return (path if path.exists() else POLICY / name).read_text(encoding="utf-8")


@needs(POLICY)
@pytest.mark.parametrize("name", [*LAWS, "directive"])
def test_every_quotation_stands_in_its_article(name: str) -> None:
    pack = load_pack(name)
    quoted = 0
    for key, entry in entries(pack):
        quote = entry.get("quote")
        if quote is None:
            continue
        quoted += 1
        text = law_text(entry.get("law") or pack.layers[0].law or "")
        assert quote in text, f"{name} {key}: “{quote}” is not in the law"
        if name == "directive":
            continue
        articles = []
        for match in re.finditer(re.escape(quote), text):
            headings = re.findall(r"^(第[一二三四五六七八九十百]+条)", text[: match.start() + 1], re.MULTILINE)
            articles.append(headings[-1])
        assert entry["article"] in articles, f"{name} {key}: stands in {articles}, not {entry['article']}"
    assert quoted >= 10


@pytest.mark.parametrize("name", LAWS)
def test_a_number_from_law_has_article_and_quotation(name: str) -> None:
    for key, entry in load_pack(name).layers[0].content["parameters"].items():
        for each in entry if isinstance(entry, list) else [entry]:
            if each["value"] is not None:
                assert each["article"], key
                assert each.get("quote") or all(tier["quote"] for tier in each["value"]), key
            else:
                assert each.get("note"), f"{key}: a null says why it is one"


@pytest.mark.parametrize("name", pack_names())
def test_packs_load_and_answer_every_key(name: str) -> None:
    pack = load_pack(name)
    assert re.fullmatch(r"[0-9a-f]{64}", pack.version)
    for parameter in pack.parameters():
        assert parameter.at(DAY).source
    assert {each.key for each in pack.interpretations()} == set(pack.questions)


@pytest.mark.parametrize(
    ("pack", "key", "value", "compare"),
    [
        pytest.param("shandong", "refund_outage.threshold_h", 24, ">=", id="山东 二十四小时以上"),
        pytest.param("directive", "refund_outage.threshold_h", 24, ">", id="文件 超过24小时"),
        pytest.param("heze", "refund_outage.threshold_h", 24, ">", id="菏泽 超过二十四小时"),
        pytest.param("luoyang", "refund_outage.threshold_h", 12, ">=", id="洛阳 十二小时以上"),
        pytest.param("luoyang", "refund_temperature.persist_h", 48, ">=", id="洛阳 四十八小时以上"),
        pytest.param("taian", "licence.years", 5, "=", id="泰安 许可证五年"),
        pytest.param("binzhou", "licence.years", 5, "=", id="滨州未载明，省条例五年"),
        pytest.param("binzhou", "tariff.metered_over_area_max", 10, "<=", id="滨州 百分之十"),
        pytest.param("linyi", "tariff.metered_over_area_max", 0, "<=", id="临沂 不得超过"),
        pytest.param("weifang", "stop_heat.base_fee_percent", 0, "=", id="潍坊 免费"),
        pytest.param("binzhou", "connection.quota_percent", 48, ">=", id="滨州 百分之四十八"),
        pytest.param("heze", "stop_heat.apply_days_before", None, "=", id="菏泽按日期"),
        pytest.param("shandong", "season.start", None, "=", id="省条例未定日期"),
        pytest.param("shandong", "refund_temperature.kind", None, "=", id="省条例未定档次"),
    ],
)
def test_what_a_place_says(pack: str, key: str, value: object, compare: str) -> None:
    answer = load_pack(pack).parameter(key).at(DAY)
    assert (answer.value, answer.compare) == (value, compare)


def test_law_changes_with_its_date() -> None:
    threshold = load_pack("directive").parameter("refund_outage.threshold_h")
    assert (threshold.at(date(2022, 10, 14)).value, threshold.at(date(2022, 10, 14)).compare) == (48, ">=")
    assert (threshold.at(date(2022, 10, 15)).value, threshold.at(date(2022, 10, 15)).compare) == (24, ">")
    assert threshold.at(date(2010, 1, 1)).value is None


def test_what_was_not_yet_recorded_is_not_known() -> None:
    above = contract_layer({"measure.height_m": {"value": 2, "recorded": date(2026, 1, 10)}})
    height = load_pack("linyi", above=[above]).parameter("measure.height_m")
    assert height.at(DAY, known_on=date(2026, 1, 9)).value == 1
    assert height.at(DAY, known_on=date(2026, 1, 10)).value == 2


def test_signed_record_overrides_and_is_dated() -> None:
    record = Signed(
        "outage_day", "blocks_24h_up", "directive", date(2025, 10, 1), "刘科", date(2025, 9, 20), "例会决定"
    )
    pack = load_pack("directive", [record])
    assert pack.interpretation("outage_day", date(2025, 9, 30)).is_open
    found = pack.interpretation("outage_day", DAY)
    assert (found.chosen, found.basis, found.signed_by) == ("blocks_24h_up", "signed", "刘科")
    assert "刘科" in found.sentence()
    assert pack.version != load_pack("directive").version
    elsewhere = load_pack("linyi", [record])
    assert elsewhere.interpretation("outage_day", DAY).is_open


def test_the_directive_leaves_its_decisions_unsigned() -> None:
    open_keys = {each.key for each in load_pack("directive").interpretations() if each.is_open}
    assert {
        "outage_day", "window_days_apart", "window_kind", "month_fee", "same_day_fails", "repair_resets", "reset_after_refund",
        "stacking", "cap", "causes", "attestation", "sensor_evidence",
    } <= open_keys  # fmt: skip


def test_the_demo_city_signs_them_all_and_says_it_is_synthetic() -> None:
    pack = load_pack("demo-city")
    assert pack.synthetic
    for each in pack.interpretations():
        if each.decision is not None:
            assert (each.basis, each.signed_by) == ("signed", "演示口径")


def test_overlapping_bands_show_their_policy() -> None:
    for name in ("binzhou", "heze"):
        overlap = load_pack(name).interpretation("overlap")
        assert (overlap.chosen, overlap.basis) == ("favour_user", "stated")
        assert "16.0℃" in overlap.sentence()


def test_slips_of_the_pen_are_refused() -> None:
    with pytest.raises(UnknownPack):
        load_pack("heze-city")
    with pytest.raises(UnknownKey):
        load_pack("heze", above=[contract_layer({"refund_outage.treshold_h": 24})])
    with pytest.raises(UnknownOption):
        load_pack("heze", [Signed("overlap", "favour_nobody")])
    with pytest.raises(UnknownKey):
        load_pack("heze").parameter("season.begin")
