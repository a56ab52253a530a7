from django.db import migrations, models

STATES = [
    ("intended", "About to"),
    ("sent", "Sent, not yet read back"),
    ("confirmed", "Read back"),
    ("refused", "Refused"),
    ("unwanted", "To be taken out"),
    ("leaving", "Being taken out"),
    ("removed", "Taken out, read back"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("closing", "0002_a_hold_that_was_sent"),
    ]

    operations = [
        migrations.AlterField(
            model_name="intent",
            name="state",
            field=models.CharField(choices=STATES, default="intended", max_length=16),
        ),
        migrations.RemoveConstraint(model_name="intent", name="equal_rows_take_turns"),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "row"), ("state__in", ["intended", "sent", "leaving"])),
                fields=("likeness",),
                name="equal_rows_take_turns",
            ),
        ),
    ]
