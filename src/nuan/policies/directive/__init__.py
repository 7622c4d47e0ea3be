"""One folder for each clause of the directive: quotation, dated numbers, rule and cases side by side."""
