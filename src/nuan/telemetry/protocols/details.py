"""What exactly was wrong, as a code with its particulars: read by programs, and told to people in their own language.

A detail is a short text: `["cut",5,31]`, the code and what belongs to it; or plain text where it is only a name or a number (`0001: colour`).
"""

import json
from collections.abc import Mapping
from types import MappingProxyType

from nuan.telemetry.protocols.line_protocol.grammar import Fault

LONGEST = 120
"""Characters of one particular."""
MOST_DETAIL = 600
"""Characters of a detail."""

DETAILS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "bytes": ("{} 字节", "{} bytes"),
    "bytes_of": ("应有 {1} 字节，只有 {0} 字节", "{0} of {1} bytes"),
    "bytes_not": ("{0} 字节，应为 {1} 字节", "{0} bytes instead of {1}"),
    "length_not": ("长度 {0}，应为 {1}", "length {0} instead of {1}"),
    "counted": ("写的是 {0}，算出来是 {1}", "{0}, counted {1}"),
    "block_crc": ("第 {} 字节起的一段校验不符", "CRC of the block at {}"),
    "layer_crc": ("扩展链路层校验不符", "CRC of the extended link layer"),
    "head_of": ("报头应有 {1} 字节，只有 {0} 字节", "the header has {0} of {1} bytes"),
    "layer_short": ("{0} 层应有 {1} 字节", "the layer {0} has {1} bytes"),
    "layers": ("层数过多", "too many layers"),
    "no_data": ("没有应用数据", "no application data"),
    "ci": ("CI 为 {}", "CI {}"),
    "identifier": ("数据标识 {}", "data identifier {}"),
    "unit_of": ("{1} 的单位代码 {0}", "unit {0} of {1}"),
    "address": ("地址 {0}：{1}", "address {0}: {1}"),
    "mode": ("加密方式 {}", "mode {}"),
    "layer_mode": ("扩展链路层，加密方式 {}", "extended link layer, method {}"),
    "format_unknown": (
        "压缩报文，格式 {} 尚未从同类表计的完整报文中见到",
        "compact frame; its format {} has not been seen in a full frame yet",
    ),
    "format_crc": ("压缩报文的数据与完整报文的校验不符", "compact frame; its data do not fit the CRC of the full frame"),
    "format_length": ("压缩报文的数据与格式的长度不符", "compact frame; its data are not as long as its format says"),
    "format_frame": ("只说明格式的报文，CI {}", "a frame that only tells a format, CI {}"),
    "dife": ("DIFE 没有结尾", "the chain of DIFE does not end"),
    "special": ("特殊功能 {}", "special function {}"),
    "no_vif": ("没有 VIF", "no VIF"),
    "vife": ("VIF 没有结尾", "the value information does not end"),
    "no_length": ("没有长度字节", "no length byte"),
    "length_byte": ("长度字节 {}", "length byte {}"),
    "missing": ("缺 {} 字节", "{} bytes missing"),
    "json": ("第 {0} 字节：{1}", "at {0}: {1}"),
    "utf8": ("第 {} 字节起不是 UTF-8", "not UTF-8 from byte {} on"),
    "csv": ("CSV 读不出来：{}", "not CSV: {}"),
    "deep": ("嵌套超过 {} 层", "nested deeper than {}"),
    "bare": ("主题里没有测点，却只有一个值（{}）", "a bare {} without {{point}} in the topic"),
    "is_a_list": ("{} 是列表", "{} is a list"),
    "whose": ("{} 是哪台设备的？", "whose is {}?"),
    "values": ("超过 {} 个值", "more than {} values"),
    "object": ("{} 应为对象", "{} should be an object"),
    "entry": ("{} 的一条", "an entry of {}"),
    "method": ("请求里没有 method", "a request has a method"),
    "request": ("请求 {}", "request {}"),
    "anonymous": (
        "代理服务器后面的 v1/devices/me/ 不说是哪台设备；请让网关发 v1/gateway/telemetry",
        "v1/devices/me/ names no device behind a broker; let the gateway send v1/gateway/telemetry",
    ),
    "registers_part": ("{}：寄存器不全", "{}: only a part of its registers"),
    "registers_none": ("既没有 registers，也没有 start 和 values", "neither registers nor start and values"),
    "columns": ("应有列 {}", "wanted: {}"),
    "ahead": ("{0}：{1} 秒", "{0}: {1} s"),
    "rate": ("超过每秒 {} 个读数", "> {}/s"),
    "flood": ("{0}：一分钟内另有 {1} 封，只计数", "{0}: {1} more within a minute, counted only"),
    "lines": ("{0} 行，时间精度 {1}；第 {2} 行：{3}", "{0} line(s), precision {1}; line {2}: {3}"),
    "fault": ("第 {0} 列：{1}", "column {0}: {1}"),
    "at_field": ("{0} {1}", "{0} {1}"),
})  # fmt: skip
"""code → words with places for its particulars (中文, English)."""
_JSON: Mapping[str, str] = MappingProxyType({
    "Expecting value": "这里应有一个值", "Extra data": "结束后还有内容", "Expecting ':' delimiter": "缺冒号", "Expecting ',' delimiter": "缺逗号",
    "Expecting property name enclosed in double quotes": "名称应在双引号内", "Unterminated string starting at": "文本没有结束引号",
    "Invalid control character at": "有控制字符", "Invalid \\escape": "转义写法不对", "Invalid \\uXXXX escape": "转义写法不对",
})  # fmt: skip
"""What Python's reader of JSON says."""
Particular = str | int | list["Particular"]


def said(code: str, *particulars: Particular) -> str:
    """
    >>> said("bytes_of", 5, 31)
    '["bytes_of",5,31]'
    """
    cut = [each[:LONGEST] if isinstance(each, str) else each for each in particulars]
    return json.dumps([code, *cut], ensure_ascii=False, separators=(",", ":"))


def detail_words(detail: str) -> tuple[str, str]:
    """(中文, English) of a detail; what is no code is shown as it is.

    >>> detail_words('["bytes_of",5,31]'), detail_words("0001: colour")
    (('应有 31 字节，只有 5 字节', '5 of 31 bytes'), ('0001: colour', '0001: colour'))
    """
    try:
        found = json.loads(detail) if detail[:2] == '["' else detail
    except ValueError:  # cut, or the text of a device that begins like one of ours
        found = detail
    return _words(found, detail)


def _words(found: object, otherwise: str) -> tuple[str, str]:
    if not isinstance(found, list) or not found or found[0] not in DETAILS:
        return otherwise, otherwise
    code, *rest = found
    if code == "fault" and len(rest) == 2 and rest[1] in Fault.__members__:
        pairs = [(str(rest[0]),) * 2, (Fault[rest[1]].zh, Fault[rest[1]].en)]
    elif code == "json" and len(rest) == 2:
        pairs = [(str(rest[0]),) * 2, (_JSON.get(str(rest[1]), str(rest[1])), str(rest[1]))]
    else:
        pairs = [_words(each, str(each)) for each in rest]
    try:
        zh, en = (text.format(*(pair[n] for pair in pairs)) for n, text in enumerate(DETAILS[code]))
    except IndexError:
        return otherwise, otherwise
    return zh, en
