"""Judgements of one season do not take the place of another's: `late_start` of a station is an item in each of its seasons."""

from django.db import migrations, models

FILL = """
UPDATE supervision_currentjudgement c SET season = r.season
FROM supervision_judgement j JOIN supervision_run r ON r.id = j.run_id WHERE j.id = c.judgement_id
"""


class Migration(migrations.Migration):
    dependencies = [("supervision", "0005_measurement_no_record")]

    operations = [
        migrations.AddField(
            model_name="currentjudgement",
            name="season",
            field=models.CharField(db_default="", default="", max_length=9),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="currentjudgement", name="one_current_judgement"),
        migrations.AddConstraint(
            model_name="currentjudgement",
            constraint=models.UniqueConstraint(
                fields=["clause", "subject_level", "subject", "item", "season"], name="one_current_judgement"
            ),
        ),
    ]
