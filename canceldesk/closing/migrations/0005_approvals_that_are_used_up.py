from django.db import migrations, models


def use_up(apps, schema_editor):
    """What was read back as written off before used its approvals up."""
    approvals = apps.get_model("closing", "WriteOffApproval").objects
    done = apps.get_model("closing", "Intent").objects.filter(
        kind="write_off",
        state="confirmed",
        case=models.OuterRef("case"),
        target=models.OuterRef("invoice_number"),
        confirmed_at__gte=models.OuterRef("at"),
    )
    approvals.update(used_at=models.Subquery(done.values("confirmed_at")[:1]))


class Migration(migrations.Migration):
    dependencies = [
        ("closing", "0004_when_a_hold_was_sent"),
    ]

    operations = [
        migrations.AddField(
            model_name="writeoffapproval",
            name="used_at",
            field=models.DateTimeField(help_text="When it was used up", null=True),
        ),
        migrations.RunPython(use_up, migrations.RunPython.noop),
    ]
