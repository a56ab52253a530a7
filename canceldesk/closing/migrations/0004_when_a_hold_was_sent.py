from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("closing", "0003_a_row_that_leaves_the_list"),
    ]

    operations = [
        migrations.AddField(
            model_name="hold",
            name="tried_at",
            field=models.DateTimeField(help_text="When that was sent", null=True),
        ),
    ]
