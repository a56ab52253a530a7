from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The people who use the desk, and how they sign in."""

    name = "canceldesk.accounts"
    default_auto_field = "django.db.models.BigAutoField"
