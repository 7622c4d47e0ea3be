"""YAML with line numbers: every mapping knows where it and its keys stand, so that a finding can point at the place.

Plain words stay text (no `on`/`off`, no sexagesimal 12:00, no timestamps); decimals stay exact.
"""

import re
from decimal import Decimal
from typing import Any

import yaml

from nuan.terms.findings import Finding, FindingsError


class Located(dict[str, Any]):
    """A mapping of the file; `line` is its first line, `lines[key]` the line of a key (counted from 1)."""

    line: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.repeated: list[tuple[int, str]] = []


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Located:
    found = Located()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in found:
            loader.repeated.append((key_node.start_mark.line + 1, key))
        found[key] = loader.construct_object(value_node, deep=True)
        found.lines[key] = key_node.start_mark.line + 1
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", lambda _, node: Decimal(node.value))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def load(text: str, where: str) -> list[Located]:
    """The situations of a file: a list, or a mapping with `situations` (or `cases`). Raises FindingsError."""
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        remedy = "这不是文本文件；请用 UTF-8 文本。"
        raise FindingsError([Finding(where, "not_yaml", "不是有效的 YAML", "not YAML", remedy)]) from error
    try:
        content = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise FindingsError(
            [
                Finding(
                    where,
                    "not_yaml",
                    f"不是有效的 YAML：{error.problem}",
                    f"not YAML: {error.problem}",
                    "检查缩进、冒号和引号。",
                    row=line,
                )
            ]
        ) from error
    finally:
        loader.dispose()
    findings = [
        Finding(where, "repeated_key", "同一项写了两次", "the key stands twice", "删去其中一个。", row=line, field=key)
        for line, key in loader.repeated
    ]
    shared: dict[str, Any] = {}
    if isinstance(content, Located) and "id" not in content:
        shared = dict(content.get("defaults") or {})
        content = content.get("situations", content.get("cases"))
    elif isinstance(content, Located):
        content = [content]
    if not isinstance(content, list) or not content:
        findings.append(
            Finding(
                where,
                "no_situations",
                "没有找到情形",
                "no situations found",
                "文件应是情形的列表，或含 situations: 列表。",
                row=1,
            )
        )
        raise FindingsError(findings)
    situations: list[Located] = []
    for number, each in enumerate(content, 1):
        if isinstance(each, Located):
            for key, value in shared.items():
                each.setdefault(key, value)
            situations.append(each)
        else:
            findings.append(
                Finding(
                    where,
                    "not_a_mapping",
                    f"第 {number} 个情形不是“项: 值”",
                    "a situation must be a mapping",
                    "每个情形写成 id、pack、home…… 各项。",
                    row=None,
                )
            )
    if findings:
        raise FindingsError(findings)
    return situations
