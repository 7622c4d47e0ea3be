"""Short messages. Operators differ by place, so this one writes files into `NUAN_SMS_FOLDER`, one a message, for a modem's or operator's
own sender to take; it also serves the tests. For an operator's interface copy this folder."""

import json
import os
import re
from pathlib import Path

from nuan.operations.notify.channels.message import AddressError, ChannelError, Message

LONGEST = 70
_PHONE = re.compile(r"^\+?\d{7,15}$")


class Sms:
    name = "sms"
    zh = "短信"

    def checked_address(self, address: str) -> str:
        text = re.sub(r"[\s-]", "", address)
        if not _PHONE.match(text):
            raise AddressError("不是电话号码 / no phone number")
        return text

    def send(self, address: str, message: Message) -> None:
        folder = os.environ.get("NUAN_SMS_FOLDER", "")
        if not folder:
            raise ChannelError("没有设置短信目录（NUAN_SMS_FOLDER） / NUAN_SMS_FOLDER is not set")
        text = message.subject if len(message.subject) <= LONGEST else message.subject[: LONGEST - 1] + "…"
        line = json.dumps({"key": message.key, "to": address, "text": text}, ensure_ascii=False)
        try:
            draft = Path(folder) / f".{message.key}.new"
            draft.write_text(line + "\n", encoding="utf-8")
            draft.replace(Path(folder) / f"{message.key}.json")  # the key is the name: a repetition replaces itself
        except OSError as error:
            raise ChannelError(f"短信目录写不进去：{error.strerror} / cannot write") from error
