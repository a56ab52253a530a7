from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "canceldesk.configuration"
    default_auto_field = "django.db.models.BigAutoField"
