from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_user_password_is_one_time")]

    operations = [
        migrations.CreateModel(
            name="SignInMark",
            fields=[
                ("cache_key", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("value", models.TextField()),
                ("expires", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
