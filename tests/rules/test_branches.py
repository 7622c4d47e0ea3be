"""Base rule and labelled exceptions: exactly one decides each subject, or the rule is wrong and says where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.rules.branches import Conflict, NoRule, choose

ROWS = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=30)


@given(ROWS)
def test_one_branch_decides_or_an_error_names_the_subjects(rows: list[tuple[bool, bool, bool]]) -> None:
    base, one, two = (np.array(column, dtype=np.bool_) for column in zip(*rows, strict=True))
    subjects = [f"B{i:04d}" for i in range(len(rows))]
    both = [subject for subject, (_, a, b) in zip(subjects, rows, strict=True) if a and b]
    none = [subject for subject, row in zip(subjects, rows, strict=True) if not any(row)]
    if both:
        with pytest.raises(Conflict) as conflict:
            choose("2.5.2", subjects, ("base", base), {"停热": one, "合同": two})
        assert conflict.value.labels == ("停热", "合同")
        assert conflict.value.subjects == tuple(both[:3])
        assert "2.5.2" in str(conflict.value)
    elif none:
        with pytest.raises(NoRule) as gap:
            choose("2.5.2", subjects, ("base", base), {"停热": one, "合同": two})
        assert gap.value.subjects == tuple(none[:3])
        assert gap.value.clause == "2.5.2"
    else:
        found = choose("2.5.2", subjects, ("base", base), {"停热": one, "合同": two})
        expected = ["停热" if a else "合同" if b else "base" for _, a, b in rows]
        assert found.tolist() == expected


def test_nobody_to_judge_is_no_error() -> None:
    assert choose("2.5.2", [], ("base", None), {}).tolist() == []
