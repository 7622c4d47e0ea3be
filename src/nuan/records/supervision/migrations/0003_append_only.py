"""Judgements, signed interpretations and formal measurements are added to, never changed. See the audit log's migration."""

from django.db import migrations

TABLES = ("supervision_judgement", "supervision_signedinterpretation", "supervision_measurement")
GUARD = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"


class Migration(migrations.Migration):
    dependencies = [("supervision", "0002_items_and_now"), ("audit", "0002_append_only")]
    operations = [migrations.RunSQL(GUARD.format(table=table), UNDO.format(table=table)) for table in TABLES]
