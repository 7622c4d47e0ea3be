"""微信支付交易账单: its columns are published by type of bill, its cells begin with a backtick, its totals have a header of their own."""
