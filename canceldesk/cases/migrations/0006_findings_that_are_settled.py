from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_what_was_owed_when_they_asked"),
    ]

    operations = [
        migrations.AddField(
            model_name="finding",
            name="settled_at",
            field=models.DateTimeField(
                help_text="When a manager set it aside, although it stands", null=True
            ),
        ),
    ]
