from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0004_a_note_counts_once"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="open_at_first",
            field=models.JSONField(
                help_text="Numbers of the invoices that asked for money when first looked at",
                null=True,
            ),
        ),
    ]
