"""Every word of the pages has its English; pages say what is synthetic, how old, and what is not known."""

import ast
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.test import Client

from nuan.web.wording import english

WEB = Path(__file__).parents[2] / "src" / "nuan" / "web"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SPOKEN_TAG = re.compile(r"""{%\s*(?:t|state\s+"\w+")\s+["']([^"']+)["']""")
# Functions whose literal arguments reach a reader, and tables of labels.
SPOKEN_CALLS = {"say", "state"}
LABEL_TABLES = {"MENU", "COLOUR_WORDS", "DAY_WORDS", "VERDICTS", "COMPARISONS", "heads", "WORDS", "VALUES", "UNITS"}


def spoken_in(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SPOKEN_CALLS:
            nodes: list[ast.AST] = list(node.args)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = any(getattr(target, "id", "") in LABEL_TABLES for target in targets)
            nodes = [node.value] if named and node.value else []
        else:
            continue
        for part in nodes:
            texts = (each.value for each in ast.walk(part) if isinstance(each, ast.Constant))
            found |= {text for text in texts if isinstance(text, str) and CHINESE.search(text)}
    return found


def test_every_spoken_word_has_english() -> None:
    spoken: set[str] = set()
    for template in WEB.rglob("*.html"):
        spoken |= {text for text in SPOKEN_TAG.findall(template.read_text(encoding="utf-8")) if CHINESE.search(text)}
    for source in WEB.rglob("*.py"):
        spoken |= spoken_in(source.read_text(encoding="utf-8"))
    assert len(spoken) > 200
    assert sorted(spoken - set(english())) == []


def test_a_word_stands_in_one_table() -> None:
    words = [word for path in (WEB / "wording_en").glob("*.yaml") for word in yaml.safe_load(path.read_text("utf-8"))]
    assert sorted(word for word, times in Counter(words).items() if times > 1) == []


def test_templates_speak_through_the_table() -> None:
    """No Chinese stands bare in a template (the language switch and the law's own words aside)."""
    bare = []
    for template in WEB.rglob("*.html"):
        text = re.sub(r"{%.*?%}|{{.*?}}", "", template.read_text(encoding="utf-8"))
        bare += [
            f"{template.name}: {line.strip()[:60]}"
            for line in text.splitlines()
            if CHINESE.search(line.replace("中文", ""))
        ]
    assert bare == []


def test_english_pages_are_english(as_cast: Callable[[str | None], Client]) -> None:
    client = as_cast("刘科")
    client.post("/i18n/setlang/", {"language": "en", "next": "/today/"})
    body = client.get("/today/").content.decode()
    assert "City today" in body
    assert "户此刻" not in body


def test_every_page_of_a_synthetic_city_says_so(as_cast, settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    client = as_cast("刘科")
    assert "合成城市" not in client.get("/board/").content.decode()
    settings.NUAN_HOME = tmp_path
    (tmp_path / "demo.json").write_text("{}", encoding="utf-8")
    for path in ("/board/", "/public/", "/today/", "/help/", "/login/", "/audit/"):
        assert "演示数据 · 合成城市" in client.get(path).content.decode(), path


def test_one_click_accounts_exist_only_in_a_demo_city(as_cast, settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    client = as_cast(None)
    assert client.post("/login/demo/", {"username": "刘科"}).status_code == 404
    settings.NUAN_HOME = tmp_path
    (tmp_path / "demo.json").write_text('{"accounts": [{"username": "王阿姨"}]}', encoding="utf-8")
    assert client.post("/login/demo/", {"username": "刘科"}).status_code == 404
    assert client.post("/login/demo/", {"username": "王阿姨"}).status_code == 302
    assert client.get("/my-home/").status_code == 200


def test_too_many_wrong_passwords_lock_in_chinese(city: None, settings) -> None:  # type: ignore[no-untyped-def]
    client = Client()
    answers = [
        client.post("/login/", {"username": "刘科", "password": "错"}) for _ in range(settings.AXES_FAILURE_LIMIT)
    ]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert "暂时锁定" in answers[-1].content.decode()


@pytest.mark.parametrize(
    "path", ["/board/", "/today/", "/homes/", "/map/", "/companies/", "/stations/", "/runs/", "/audit/"]
)
def test_empty_records_give_words_not_errors(db: None, path: str) -> None:
    from nuan.records.accounts.models import Role, User

    client = Client()
    client.force_login(
        User.objects.create(username="刘科", role=Role.CITY), backend="django.contrib.auth.backends.ModelBackend"
    )
    body = client.get(path).content.decode()
    assert "尚无判定" in body


def test_pages_allow_no_foreign_host_and_are_not_kept(as_cast: Callable[[str | None], Client]) -> None:
    answer = as_cast("王阿姨").get("/my-home/")
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-store"
