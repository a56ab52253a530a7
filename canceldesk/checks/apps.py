from django.apps import AppConfig


class ChecksConfig(AppConfig):
    name = "canceldesk.checks"
    default_auto_field = "django.db.models.BigAutoField"
