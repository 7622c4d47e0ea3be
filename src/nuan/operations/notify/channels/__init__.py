"""In: one notice. Out: it has been handed to somebody, or an error that says whether to try again. A channel is a folder; copy one to add one."""

from collections.abc import Mapping
from typing import Protocol

from nuan.operations.notify.channels.email import Email
from nuan.operations.notify.channels.message import AddressError, ChannelError, Message
from nuan.operations.notify.channels.sms import Sms
from nuan.operations.notify.channels.webhook import Webhook


class Channel(Protocol):
    name: str
    zh: str

    def checked_address(self, address: str) -> str:
        """The address as it is kept; raises AddressError with a sentence."""
        ...

    def send(self, address: str, message: Message) -> None:
        """Hand the message over; raises ChannelError."""
        ...


CHANNELS: Mapping[str, Channel] = {each.name: each for each in (Email(), Webhook(), Sms())}

__all__ = ["CHANNELS", "AddressError", "Channel", "ChannelError", "Message"]
