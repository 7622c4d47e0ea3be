"""The words everybody uses: quantities, money, season, intervals, places. Imports nothing of ours; does no input or output."""
