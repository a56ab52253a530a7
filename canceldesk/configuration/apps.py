from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    """Every setting: what it means, where it comes from, how it is changed."""

    name = "canceldesk.configuration"
    default_auto_field = "django.db.models.BigAutoField"
