from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "nuan.records.support"
    label = "support"
