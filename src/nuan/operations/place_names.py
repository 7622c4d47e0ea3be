"""What a place is called where many may read it: of a home its building and no door."""

from collections.abc import Collection

from nuan.records.registry.models import Building, HeatSource, Home, Loop, Substation


def names_of(places: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names by (level, code), one query per level that occurs; a place that the registry does not know keeps its code."""
    codes: dict[str, set[str]] = {}
    for level, code in places:
        codes.setdefault(level, set()).add(code)
    found = {(level, code): "住户" if level == "home" else code for level, code in places}
    for level, model in (("source", HeatSource), ("substation", Substation), ("building", Building)):
        if level in codes:
            for code, name in model.objects.filter(code__in=codes[level]).values_list("code", "name"):
                found[level, code] = name
    if "loop" in codes:
        for code, name, station in Loop.objects.filter(code__in=codes["loop"]).values_list(
            "code", "name", "substation__name"
        ):
            found["loop", code] = f"{station} {name}"
    if "home" in codes:
        for code, building in Home.objects.filter(code__in=codes["home"]).values_list("code", "building__name"):
            found["home", code] = f"{building} 住户"
    return found
