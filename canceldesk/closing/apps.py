from django.apps import AppConfig


class ClosingConfig(AppConfig):
    name = "canceldesk.closing"
    default_auto_field = "django.db.models.BigAutoField"
