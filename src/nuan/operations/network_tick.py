"""One look at every network: compute it with the newest readings, and let pressures and leaks become alarms. `nuan network watch` calls it."""

from datetime import datetime

from nuan.operations.network_alarms import LIMIT_CODES
from nuan.operations.network_leak_watch import leak_tick
from nuan.operations.network_run import compute_network, state_of
from nuan.operations.network_twin import twin_of
from nuan.operations.network_watch import limit_warnings, watch_network
from nuan.records.twin.models import NetworkRun, NetworkVersion


def network_tick(now: datetime, company: str = "") -> list[NetworkRun]:
    """Every company that has a network, or one. A state that did not settle changes no alarm: nothing is known then."""
    rows = NetworkVersion.objects.order_by("company").values_list("company", flat=True).distinct()
    runs = []
    for code in rows.filter(company=company) if company else rows:
        run = compute_network(code, now)
        twin = twin_of(code, now)
        if run is None or twin is None:
            continue
        runs.append(run)
        state = state_of(run)
        if state is not None:
            watch_network(code, limit_warnings(twin, state), now, codes=LIMIT_CODES)
        leak_tick(code, now)
    return runs
