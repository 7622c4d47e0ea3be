"""支付宝业务明细: all of it is data (profile.yaml), because nobody has confirmed the list of columns with the platform."""
