from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "nuan.api"
    label = "api"
