"""In: the body of a write request in InfluxDB's line protocol. Out: values of named points by column, and each line that is none."""
