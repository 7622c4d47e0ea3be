"""The file with the tokens of the simulated gateways: written by `nuan simulate register`, read by `nuan simulate run`. For its owner's eyes."""

import json
import os
from dataclasses import dataclass
from pathlib import Path


class CredentialsError(ValueError):
    """The file is missing, or is not one."""


@dataclass(frozen=True)
class Credentials:
    """`tokens`: gateway → token. `homes`, `seed` and `season` name the city whose fleet they belong to. `ports`: the own listeners of
    ThingsBoard gateways at the broker."""

    homes: int
    seed: int
    season: int
    tokens: dict[str, str]
    ports: dict[str, int]

    def write(self, path: Path) -> None:
        text = json.dumps(
            {
                "homes": self.homes,
                "seed": self.seed,
                "season": self.season,
                "gateways": self.tokens,
                "ports": self.ports,
            },
            indent=1,
        )
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    @classmethod
    def read(cls, path: Path) -> "Credentials":
        try:
            document = json.loads(path.read_text("utf-8"))
            tokens, ports = dict(document["gateways"]), dict(document["ports"])
            return cls(int(document["homes"]), int(document["seed"]), int(document["season"]), tokens, ports)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CredentialsError(f"{path} 不是模拟车队的凭据文件：{error}；先运行 nuan simulate register") from None
