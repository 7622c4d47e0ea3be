from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "nuan.records.billing"
    label = "billing"
