"""保障资金: who bears a repair, subsidies, arrears of government, funds."""
