from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_who_is_at_work_and_what_is_flagged"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="form_token",
            field=models.CharField(
                help_text="Makes posting a form twice one message",
                max_length=64,
                null=True,
                unique=True,
            ),
        ),
    ]
