"""Networks go out and come back as they were; what cannot be read is a finding."""

import pandapipes
import pytest
import wntr
from bench.network_cases import nuan_network, pandapipes_network, street_case

from nuan.network.formats import epanet_inp, geojson, nuan_json, pandapipes_json
from nuan.network.graph import Network
from nuan.network.graph.checks import findings
from nuan.network.steady import solve

CASE = street_case(20, 3, seed=5)


def test_our_own_file_loses_nothing() -> None:
    network = nuan_network(CASE)
    again, found = nuan_json.read(nuan_json.write(network))
    assert found == []
    assert all(network.table(name).equals(again.table(name)) for name in ("nodes", "pipes", "sources", "substations"))


def with_places(network: Network) -> Network:
    import polars as pl

    row = pl.int_range(pl.len()).cast(pl.Float64)
    return network.with_table(
        "nodes", network.nodes.with_columns(longitude=109.9 + row / 1e4, latitude=39.8 + row / 1e4)
    )


def test_geojson_goes_round_and_carries_results() -> None:
    network = with_places(nuan_network(CASE))
    text = geojson.write(network, solve(network))
    again, found = geojson.read(text)
    assert found == []
    assert again.pipes.sort("pipe").equals(network.pipes.sort("pipe"))
    assert '"pressure_bar"' in text
    assert '"temp_from_c"' in text


@pytest.mark.filterwarnings("ignore")
def test_pandapipes_file_is_the_same_network() -> None:
    read, found = pandapipes_json.read(pandapipes.to_json(pandapipes_network(CASE)))
    assert found == []
    theirs, ours = solve(read, ambient_temp_c=8.0), solve(nuan_network(CASE), ambient_temp_c=8.0)
    assert theirs.sources()["flow_kg_per_s"].sum() == pytest.approx(ours.sources()["flow_kg_per_s"].sum(), rel=1e-4)


def inp(headloss: str = "D-W") -> str:
    return f"""[TITLE]
two ways
[JUNCTIONS]
;id elevation demand
J1 10 0
J2 12 20
J3 5 15
[RESERVOIRS]
R1 60
[PIPES]
P1 R1 J1 500 250 0.1 0 Open
P2 J1 J2 400 150 0.1 0 Open
P3 J1 J3 300 150 0.1 0.5 Open
P4 J2 J3 350 100 0.1 0 Open
[OPTIONS]
Units LPS
Headloss {headloss}
Viscosity 1
[END]
"""


@pytest.mark.filterwarnings("ignore")
def test_epanet_file_gives_epanets_heads(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "net.inp"
    path.write_text(inp())
    network, found = epanet_inp.read(inp())
    assert found == []
    state = solve(network, with_heat=False, temp_c=20.0, friction="swamee_jain")
    ours = dict(zip(state.arrays.node_names, state.pressure_bar, strict=True))
    result = wntr.sim.EpanetSimulator(wntr.network.WaterNetworkModel(str(path))).run_sim(
        file_prefix=str(tmp_path / "run")
    )
    theirs = result.node["pressure"].iloc[0]
    for name in ("J1", "J2", "J3"):
        assert ours[name] == pytest.approx(float(theirs[name]) * 998.2 * 9.81 / 1e5, abs=0.03)


def test_a_roughness_that_is_no_length_is_told() -> None:
    assert [finding.code for finding in epanet_inp.read(inp("H-W"))[1]] == ["roughness_not_a_length"]


@pytest.mark.parametrize("module", [nuan_json, geojson, pandapipes_json, epanet_inp])
@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "\x00", "[PIPES]\nP1", '{"nuan_network": 1, "pipes": {"x": [1]}}', '{"_object": {}}'],
)
def test_what_is_no_network_is_a_finding(module, text: str) -> None:  # type: ignore[no-untyped-def]
    network, found = module.read(text)
    assert network.pipes.height == 0
    assert found or network.nodes.height == 0


def test_all_faults_at_once() -> None:
    network = Network.of(
        nodes={"node": ["a", "b", "c", "d", "d"]},
        pipes={
            "pipe": ["p", "p", "q", "r"],
            "from_node": ["a", "b", "a", "zz"],
            "to_node": ["b", "a", "a", "b"],
            "length_m": [10.0, 5e6, 10.0, 10.0],
            "inner_diameter_m": [0.1, None, 0.1, 250.0],
        },
        substations={"substation": ["x"], "supply_node": ["a"], "return_node": ["b"], "heat_kw": [-5.0]},
    )
    codes = {finding.code for finding in findings(network)}
    assert codes == {
        "name_twice", "end_unknown", "both_ends_one_node", "length_m_impossible", "inner_diameter_m_missing",
        "inner_diameter_m_impossible", "demand_unclear", "heat_negative",
    }  # fmt: skip


def test_islands_dead_ends_and_crossed_sides() -> None:
    sound = nuan_network(street_case(12, 0, seed=12))
    assert {finding.code for finding in findings(sound)} <= {"dangling"}
    island = sound.with_open("pipes", ["S0"], False)
    assert "island" in {finding.code for finding in findings(island)}
    import polars as pl

    flipped = sound.with_table(
        "substations",
        sound.substations.with_columns(
            supply_node=pl.when(pl.col("substation") == "c0").then("return_node").otherwise("supply_node"),
            return_node=pl.when(pl.col("substation") == "c0").then("supply_node").otherwise("return_node"),
        ),
    )
    assert [finding.value for finding in findings(flipped) if finding.code == "station_reversed"] == ["c0"]
    bridge = pl.concat(
        [sound.pipes, sound.pipes.head(1).with_columns(pipe=pl.lit("X"), from_node=pl.lit("s3"), to_node=pl.lit("r3"))]
    )
    assert "sides_joined" in {finding.code for finding in findings(sound.with_table("pipes", bridge))}
