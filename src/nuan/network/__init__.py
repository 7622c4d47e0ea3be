"""In: pipes, stations, loads and who hangs on what. Out: pressures, flows and temperatures, and whom a place feeds."""
