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
    for statement in statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def unguard_log(apps, schema_editor):
    on_table = " ON cases_logentry" if schema_editor.connection.vendor == "postgresql" else ""
    for event in ("update", "delete"):
        schema_editor.execute(f"DROP TRIGGER log_no_{event}{on_table}")


def statements(vendor):
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER log_no_{event} BEFORE {event.upper()} ON cases_logentry "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for event in ("update", "delete")
        ]
    return [
        "CREATE OR REPLACE FUNCTION log_is_append_only() RETURNS trigger AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$ LANGUAGE plpgsql",
        *(
            f"CREATE TRIGGER log_no_{event} BEFORE {event.upper()} ON cases_logentry "
            "FOR EACH ROW EXECUTE FUNCTION log_is_append_only()"
            for event in ("update", "delete")
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        migrations.RunPython(add_reasons, migrations.RunPython.noop),
        migrations.RunPython(guard_log, unguard_log),
    ]
