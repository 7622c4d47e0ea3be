"""In: readings and reports. Out: dated statements as columnar tables with documented columns."""
