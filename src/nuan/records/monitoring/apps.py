from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "nuan.records.monitoring"
    label = "monitoring"
