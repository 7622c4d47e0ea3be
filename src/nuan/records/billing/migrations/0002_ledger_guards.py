"""What the database refuses, whoever writes and with whatever program.

An entry balances, has two legs or more, all of its own company, and mirrors what it reverses: a deferred trigger looks at each new
entry when the transaction commits. Legs are accepted only in the transaction that makes their entry, so an entry is whole for ever
(one set-based statement trigger instead of a deferred trigger a leg). Nothing is changed, deleted or emptied. A closed month and a
sealed day take nothing more: writers hold a shared lock, closing and sealing the exclusive one, so that nobody slips in between.
In place of row-by-row foreign keys: a leg's entry and account are looked up set by set when it is added, and neither is ever deleted; an
entry's company is that of its accounts. `nuan.today` moves the ledger's day in test databases only.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION nuan_ledger_today() RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF current_database() LIKE 'test\\_%' AND coalesce(current_setting('nuan.today', true), '') <> '' THEN
        RETURN current_setting('nuan.today')::date;
    END IF;
    RETURN (now() AT TIME ZONE 'Asia/Shanghai')::date;
END $$;

CREATE FUNCTION nuan_ledger_shared() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1818518119);
    RETURN NULL;
END $$;
CREATE TRIGGER entry_lock BEFORE INSERT ON billing_entry FOR EACH STATEMENT EXECUTE FUNCTION nuan_ledger_shared();

CREATE FUNCTION nuan_ledger_exclusive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1818518119);
    RETURN NULL;
END $$;
CREATE TRIGGER period_lock BEFORE INSERT ON billing_ledgerperiod FOR EACH STATEMENT EXECUTE FUNCTION nuan_ledger_exclusive();
CREATE TRIGGER day_lock BEFORE INSERT ON billing_ledgerday FOR EACH STATEMENT EXECUTE FUNCTION nuan_ledger_exclusive();

CREATE FUNCTION nuan_entry_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.recorded_at := now();
    NEW.recorded_on := (now() AT TIME ZONE 'Asia/Shanghai')::date;
    IF current_database() LIKE 'test\\_%' THEN
        NEW.recorded_on := nuan_ledger_today();
    END IF;
    NEW.recorded_tx := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_recorded BEFORE INSERT ON billing_entry FOR EACH ROW EXECUTE FUNCTION nuan_entry_recorded();

CREATE FUNCTION nuan_entries_in_open_books() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    SELECT key, "on", period INTO one FROM added WHERE period <> to_char("on", 'YYYY-MM') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger: % of % is not in period %', one.key, one."on", one.period USING ERRCODE = 'check_violation';
    END IF;
    SELECT a.key, a.period, a.company_id INTO one
    FROM added a JOIN billing_ledgerperiod p ON p.company_id = a.company_id AND p.period = a.period LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger: period % of % is closed: % refused', one.period, one.company_id, one.key
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM billing_ledgerday WHERE day >= nuan_ledger_today()) THEN
        RAISE EXCEPTION 'ledger: the day % is sealed', nuan_ledger_today() USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_open_books AFTER INSERT ON billing_entry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_entries_in_open_books();

CREATE FUNCTION nuan_postings_with_their_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    SELECT a.entry_id INTO one FROM added a
    LEFT JOIN billing_entry e ON e.id = a.entry_id AND e.recorded_tx = pg_current_xact_id()::text::bigint AND e.recorded_at = now()
    WHERE e.id IS NULL LIMIT 1;
    IF FOUND THEN
        IF EXISTS (SELECT 1 FROM billing_entry WHERE id = one.entry_id) THEN
            RAISE EXCEPTION 'ledger: entry % is complete; a correction is a reversing entry', one.entry_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RAISE EXCEPTION 'ledger: there is no entry %', one.entry_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT a.account_id INTO one FROM added a LEFT JOIN billing_account c ON c.id = a.account_id WHERE c.id IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger: there is no account %', one.account_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_with_entry AFTER INSERT ON billing_posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_postings_with_their_entry();

CREATE FUNCTION nuan_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE total numeric; legs bigint; foreigners bigint; uneven bigint;
BEGIN
    SELECT coalesce(sum(p.amount_fen), 0), count(*), count(*) FILTER (WHERE a.company_id <> NEW.company_id)
    INTO total, legs, foreigners
    FROM billing_posting p JOIN billing_account a ON a.id = p.account_id WHERE p.entry_id = NEW.id;
    IF total <> 0 OR legs < 2 THEN
        RAISE EXCEPTION 'ledger: entry % does not balance: % legs, sum % fen', NEW.key, legs, total
            USING ERRCODE = 'check_violation';
    END IF;
    IF foreigners > 0 THEN
        RAISE EXCEPTION 'ledger: entry % of % uses accounts of another company', NEW.key, NEW.company_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.reverses_id IS NOT NULL THEN
        SELECT count(*) INTO uneven FROM (
            SELECT account_id FROM billing_posting WHERE entry_id IN (NEW.id, NEW.reverses_id)
            GROUP BY account_id HAVING sum(amount_fen) <> 0) AS rest;
        IF uneven > 0 THEN
            RAISE EXCEPTION 'ledger: entry % does not mirror what it reverses', NEW.key USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON billing_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION nuan_entry_balances();

CREATE FUNCTION nuan_account_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.code, NEW.kind, NEW.company_id, NEW.home_id) IS DISTINCT FROM
       (OLD.id, OLD.code, OLD.kind, OLD.company_id, OLD.home_id) THEN
        RAISE EXCEPTION 'ledger: account % keeps its code, kind and owner', OLD.code
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_stays BEFORE UPDATE ON billing_account FOR EACH ROW EXECUTE FUNCTION nuan_account_stays();
CREATE TRIGGER append_only_rows BEFORE DELETE ON billing_account FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON billing_account FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO = """
DROP TRIGGER append_only_rows ON billing_account;
DROP TRIGGER append_only_table ON billing_account;
DROP TRIGGER account_stays ON billing_account;
DROP TRIGGER entry_balances ON billing_entry;
DROP TRIGGER posting_with_entry ON billing_posting;
DROP TRIGGER entry_open_books ON billing_entry;
DROP TRIGGER entry_recorded ON billing_entry;
DROP TRIGGER entry_lock ON billing_entry;
DROP TRIGGER period_lock ON billing_ledgerperiod;
DROP TRIGGER day_lock ON billing_ledgerday;
DROP FUNCTION nuan_account_stays, nuan_entry_balances, nuan_postings_with_their_entry, nuan_entries_in_open_books,
    nuan_entry_recorded, nuan_ledger_exclusive, nuan_ledger_shared, nuan_ledger_today;
"""
TABLES = ("billing_entry", "billing_posting", "billing_ledgerperiod", "billing_ledgerday")
APPEND_ONLY = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO_APPEND_ONLY = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_ledger"), ("audit", "0002_append_only")]
    operations = [
        *(migrations.RunSQL(APPEND_ONLY.format(table=t), UNDO_APPEND_ONLY.format(table=t)) for t in TABLES),
        migrations.RunSQL(GUARDS, UNDO),
    ]
