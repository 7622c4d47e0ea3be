"""Versions, their places and valve positions are added to, never changed. See the audit log's migration."""

from django.db import migrations

TABLES = ("twin_networkversion", "twin_networkplace", "twin_valveposition")
GUARD = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"


class Migration(migrations.Migration):
    dependencies = [("twin", "0001_networks_and_positions"), ("audit", "0002_append_only")]
    operations = [migrations.RunSQL(GUARD.format(table=table), UNDO.format(table=table)) for table in TABLES]
