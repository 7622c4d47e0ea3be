"""Lines = bill = ledger, and four eyes before a run's bills: held by the database, whoever writes.

The parts come before the whole: a bill is accepted when its lines and its entry's legs are there and say the same sum, and a line is
refused once its bill is there. Both looks are set-based, so a million bills are checked in one statement. The foreign key of the lines
is deferred, so lines without a bill do not outlive the transaction. A bill's entry, home and company are those of the legs that say its
sum, and its run is one that was posted: that stands in for four foreign keys a bill.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION nuan_lines_before_their_bill() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    SELECT b.number INTO one FROM added a JOIN billing_bill b ON b.id = a.bill_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'bill % is complete; an adjustment is another document', one.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lines_before_bill AFTER INSERT ON billing_billline REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_lines_before_their_bill();

CREATE FUNCTION nuan_bills_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    -- joined first and grouped after: whatever the planner believes about fresh rows, the work grows with their number only
    SELECT a.number, a.total_fen, sum(l.amount_fen) AS fen INTO one
    FROM added a LEFT JOIN billing_billline l ON l.bill_id = a.id
    GROUP BY a.id, a.number, a.total_fen HAVING sum(l.amount_fen) IS DISTINCT FROM a.total_fen LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'bill %: lines say % fen, the bill %', one.number, one.fen, one.total_fen USING ERRCODE = 'check_violation';
    END IF;
    SELECT a.number, a.total_fen, sum(p.amount_fen) AS fen INTO one
    FROM added a LEFT JOIN (billing_posting p JOIN billing_account c ON c.id = p.account_id)
        ON p.entry_id = a.entry_id AND c.home_id = a.home_id AND c.company_id = a.company_id
    GROUP BY a.id, a.number, a.total_fen HAVING sum(p.amount_fen) IS DISTINCT FROM a.total_fen LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'bill %: the ledger says % fen, the bill %', one.number, one.fen, one.total_fen USING ERRCODE = 'check_violation';
    END IF;
    SELECT a.number INTO one FROM added a
    WHERE a.run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM billing_runposting r WHERE r.run_id = a.run_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'bill %: its run is not posted', one.number USING ERRCODE = 'check_violation';
    END IF;
    SELECT a.number INTO one FROM added a LEFT JOIN billing_bill b ON b.id = a.about_id
    WHERE a.about_id IS NOT NULL AND (b.home_id, b.company_id) IS DISTINCT FROM (a.home_id, a.company_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'bill %: it is about a bill of another home or company', one.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER bills_add_up AFTER INSERT ON billing_bill REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_bills_add_up();

CREATE FUNCTION nuan_run_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM billing_billrun r WHERE r.id = NEW.run_id AND r.content_hash = NEW.content_hash)
       OR NOT nuan_approved('bill_run', 'bill_run:' || NEW.run_id, NEW.content_hash) THEN
        RAISE EXCEPTION 'four eyes: bill run % with this content is not approved by another person', NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_is_approved BEFORE INSERT ON billing_runposting FOR EACH ROW EXECUTE FUNCTION nuan_run_is_approved();
"""
UNDO = """
DROP TRIGGER run_is_approved ON billing_runposting;
DROP TRIGGER bills_add_up ON billing_bill;
DROP TRIGGER lines_before_bill ON billing_billline;
DROP FUNCTION nuan_run_is_approved, nuan_bills_add_up, nuan_lines_before_their_bill;
"""
TABLES = (
    "billing_bill", "billing_billline", "billing_billrun", "billing_billexception", "billing_runposting",
    "billing_dunningnotice", "billing_stopheatapplication",
)  # fmt: skip
APPEND_ONLY = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO_APPEND_ONLY = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_bills"), ("audit", "0002_append_only")]
    operations = [
        *(migrations.RunSQL(APPEND_ONLY.format(table=t), UNDO_APPEND_ONLY.format(table=t)) for t in TABLES),
        migrations.RunSQL(GUARDS, UNDO),
    ]
