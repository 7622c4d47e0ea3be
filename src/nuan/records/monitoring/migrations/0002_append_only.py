"""Changes of alarms are added, never edited (see the audit log's migration); live values have room on their page to be updated in place."""

from django.db import migrations

TABLES = ("monitoring_alarmchange",)
GUARD = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"
ROOM = "ALTER TABLE monitoring_livevalue SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.5)"
NO_ROOM = "ALTER TABLE monitoring_livevalue RESET (fillfactor, autovacuum_vacuum_scale_factor)"


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        *(migrations.RunSQL(GUARD.format(table=table), UNDO.format(table=table)) for table in TABLES),
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
