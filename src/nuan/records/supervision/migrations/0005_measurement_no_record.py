"""Whether the company kept a record of a formal measurement: some laws presume a temperature where it did not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supervision", "0004_season_figures_of_places")]

    operations = [
        migrations.AddField(
            model_name="measurement",
            name="no_record",
            field=models.BooleanField(default=False, help_text="the company kept no record of the test"),
        ),
    ]
