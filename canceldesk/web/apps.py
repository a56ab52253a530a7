from django.apps import AppConfig


class WebConfig(AppConfig):
    """The pages."""

    name = "canceldesk.web"
    default_auto_field = "django.db.models.BigAutoField"
