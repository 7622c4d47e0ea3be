"""Our own file: `{"nuan_network": 1, "name": …, "nodes": {column: [values]}, …}`. Columns that hold only their default are left out."""

import json
from typing import Any

import polars as pl

from nuan.network.graph.tables import TABLES, Network, TableError
from nuan.terms.findings import Finding

VERSION = 1


def write(network: Network) -> str:
    """
    >>> read(write(Network.of(nodes={"node": ["a"]}, name="one")))[0].nodes["node"].to_list()
    ['a']
    """
    document: dict[str, Any] = {"nuan_network": VERSION, "name": network.name}
    for table, columns in TABLES.items():
        frame = network.table(table)
        if frame.height:
            document[table] = {
                name: frame[name].to_list()
                for name, about in columns.items()
                if about.required or not frame[name].eq_missing(pl.Series([about.default], dtype=about.dtype)).all()
            }
    return json.dumps(document, ensure_ascii=False)


def read(text: str) -> tuple[Network, list[Finding]]:
    try:
        document = json.loads(text)
        if document["nuan_network"] != VERSION:
            raise KeyError
        tables = {table: _frame(table, document[table]) for table in TABLES if table in document}
        return Network.of(name=str(document.get("name", "")), **tables), []
    except TableError as error:
        why = str(error)
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        why = f"no network of version {VERSION}"
    return Network.of(), [
        Finding("network.json", "not_a_network", "这不是本平台的管网文件", why, "用 formats.nuan_json.write 写出，或按 docs/network.md 的列名填写")
    ]  # fmt: skip


def _frame(table: str, columns: dict[str, list[Any]]) -> pl.DataFrame:
    """Whole numbers among decimals are decimals: people write 250 m beside 250.5 m."""
    known = {name: about.dtype for name, about in TABLES[table].items() if name in columns}
    return pl.DataFrame(columns, schema_overrides=known)
