from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "nuan.web"
    label = "web"
