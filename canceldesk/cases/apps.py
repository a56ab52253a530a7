from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "canceldesk.cases"
    default_auto_field = "django.db.models.BigAutoField"
