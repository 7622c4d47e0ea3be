from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "nuan.records.devices"
    label = "devices"
