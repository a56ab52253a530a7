"""The reasons a new company starts with, and the database's own guard over the log."""

from django.db import migrations

REASONS = [
    ("too_expensive", "Too expensive"),
    ("money_is_short", "Money is short right now"),
    ("no_results", "Not seeing results"),
    ("not_using_it", "Not using it"),
    ("service", "Unhappy with the service"),
    ("switching", "Switching to someone else"),
    ("goal_reached", "Goal reached"),
    ("life_change", "Moving or personal reasons"),
    ("other", "Something else"),
]

REFUSAL = "The log is append-only."


def add_reasons(apps, schema_editor):
    reason = apps.get_model("cases", "Reason")
    for position, (key, label) in enumerate(REASONS, start=1):
        reason.objects.get_or_create(key=key, defaults={"label": label, "position": position})


def guard_log(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE OR REPLACE FUNCTION log_is_append_only() RETURNS trigger AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$ LANGUAGE plpgsql"
        )
    for name, (moment, action) in triggers(schema_editor.connection.vendor).items():
        schema_editor.execute(f"CREATE TRIGGER {name} {moment} ON cases_logentry {action}")


def unguard_log(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    on_table = " ON cases_logentry" if vendor == "postgresql" else ""
    for name in triggers(vendor):
        schema_editor.execute(f"DROP TRIGGER {name}{on_table}")


def triggers(vendor):
    """Each trigger's name, when it fires and what it does."""
    if vendor == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        # INSERT OR REPLACE removes the old row without firing a delete trigger.
        is_there = "WHEN EXISTS (SELECT 1 FROM cases_logentry WHERE id = NEW.id)"
        return {
            "log_no_update": ("BEFORE UPDATE", refuse),
            "log_no_delete": ("BEFORE DELETE", refuse),
            "log_no_replace": ("BEFORE INSERT", f"{is_there} {refuse}"),
        }
    refuse = "EXECUTE FUNCTION log_is_append_only()"
    return {
        "log_no_update": ("BEFORE UPDATE", f"FOR EACH ROW {refuse}"),
        "log_no_delete": ("BEFORE DELETE", f"FOR EACH ROW {refuse}"),
        "log_no_truncate": ("BEFORE TRUNCATE", f"FOR EACH STATEMENT {refuse}"),
    }


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        migrations.RunPython(add_reasons, migrations.RunPython.noop),
        migrations.RunPython(guard_log, unguard_log),
    ]
