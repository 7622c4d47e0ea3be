"""In: pipes, stations and who hangs on what. Out: whom a place feeds."""
