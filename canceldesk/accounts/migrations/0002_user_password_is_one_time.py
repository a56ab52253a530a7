from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="password_is_one_time",
            field=models.BooleanField(
                default=False, help_text="An admin gave it; the next sign-in must choose another"
            ),
        ),
    ]
