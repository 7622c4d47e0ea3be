from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "nuan.operations"
    label = "operations"
