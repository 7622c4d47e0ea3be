"""In: a network, what its points measured, row by row. Out: alarms: a leak, how large, on which side, where; a duct under water."""
