"""docs/clauses.md, made from the catalogue: what each clause asks, and whether anything judges it."""

from nuan.policies.catalogue import CLAUSES
from nuan.rules.clause import Clause

_HEAD = """# The clauses

Made by `make docs`; a test holds it equal to the catalogue. The directive's title, issuer, number and date are not in its text:
they are 未载明. `working` = judged now · `partly` = a part of it is judged now · `text_only` = the words are here, nothing judges them yet.

| id | 条款 | in short | kind | status | 状态 |
|---|---|---|---|---|---|
"""


def _row(clause: Clause) -> str:
    cells = (clause.id, clause.short_zh, clause.short_en, clause.kind, f"`{clause.status}`", clause.status_zh)
    return f"| {' | '.join(cells)} |\n"


def page() -> str:
    return _HEAD + "".join(_row(clause) for clause in CLAUSES)
