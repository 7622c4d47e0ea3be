"""银行转账明细: each bank names its columns otherwise; the profile lists the names, a place adds its own."""
