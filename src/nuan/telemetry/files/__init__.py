"""In: CSV, xlsx and Parquet files with a mapping. Out: readings in fixed point, and every finding at once."""

from nuan.telemetry.files.mapping import FileMapping, Mapping, load_mapping
from nuan.telemetry.files.reading import FileReadings, read_file

__all__ = ["FileMapping", "FileReadings", "Mapping", "load_mapping", "read_file"]
