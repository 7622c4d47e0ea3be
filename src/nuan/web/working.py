"""怎么算的: the working of one stored judgement, made again by the same rule with its trace on."""

from nuan.operations.explaining import Working, explain_judgement
from nuan.operations.stored_readings import store
from nuan.records.supervision.models import Judgement
from nuan.web.wording import in_english


def working_of(judgement: Judgement) -> Working | None:
    """None where no readings are stored, so that nothing can be worked out anew; what was posted is shown all the same."""
    opened = store()
    if opened is None:
        return None
    return explain_judgement(judgement, "en" if in_english() else "zh", store=opened)
