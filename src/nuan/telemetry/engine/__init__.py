"""In: folded segments and what homes are owed. Out: the roll-ups of `rollups`, by one SQL text that DuckDB and Spark engines run alike."""
