"""The audit log is added to, never changed: triggers refuse UPDATE, DELETE and TRUNCATE.

`nuan_append_only` is shared by every append-only table. TRUNCATE passes only in databases whose name begins with `test_`, because
test runners empty tables that way; no real city lives in such a database.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION nuan_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO = """
DROP TRIGGER append_only_rows ON audit_auditentry;
DROP TRIGGER append_only_table ON audit_auditentry;
DROP FUNCTION nuan_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(FUNCTIONS, UNDO)]
