"""柜台现金: entered one by one by a person, closed each day against the cash that was counted."""
