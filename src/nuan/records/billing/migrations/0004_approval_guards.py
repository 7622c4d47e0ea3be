"""Four eyes in the database: nobody decides what they proposed, nor another content, nor without being able to sign in.

`nuan_approved(kind, subject, hash)` is the one question that every guard asks before something approved is done.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION nuan_decision_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE proposed record;
BEGIN
    SELECT p.proposed_by_id, p.content_hash INTO proposed FROM billing_proposal p WHERE p.id = NEW.proposal_id;
    IF proposed.proposed_by_id = NEW.decided_by_id THEN
        RAISE EXCEPTION 'four eyes: who proposed % does not decide on it', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF proposed.content_hash <> NEW.content_hash THEN
        RAISE EXCEPTION 'four eyes: proposal % has another content', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.decided_by_id AND u.is_active) THEN
        RAISE EXCEPTION 'four eyes: user % is not active', NEW.decided_by_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decision_by_another BEFORE INSERT ON billing_decision FOR EACH ROW EXECUTE FUNCTION nuan_decision_by_another();

CREATE FUNCTION nuan_approved(of_kind text, of_subject text, of_hash text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT p.content_hash = of_hash
           AND p.needed <= (SELECT count(*) FROM billing_decision d
                            WHERE d.proposal_id = p.id AND d.answer = 'approved' AND d.decided_by_id <> p.proposed_by_id)
           AND NOT EXISTS (SELECT 1 FROM billing_decision d WHERE d.proposal_id = p.id AND d.answer = 'rejected')
        FROM billing_proposal p WHERE p.kind = of_kind AND p.subject = of_subject ORDER BY p.id DESC LIMIT 1), false)
$$;
"""
UNDO = """
DROP FUNCTION nuan_approved(text, text, text);
DROP TRIGGER decision_by_another ON billing_decision;
DROP FUNCTION nuan_decision_by_another;
"""
TABLES = ("billing_proposal", "billing_decision")
APPEND_ONLY = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO_APPEND_ONLY = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_approvals"), ("audit", "0002_append_only")]
    operations = [
        *(migrations.RunSQL(APPEND_ONLY.format(table=t), UNDO_APPEND_ONLY.format(table=t)) for t in TABLES),
        migrations.RunSQL(GUARDS, UNDO),
    ]
