"""What the database refuses about payments and refunds, whoever writes and with whatever program.

A payment's facts stay; what of it is open equals its amount less its allocations whenever a transaction commits; an allocation is
taken back by its mirror only; a counter's day that is closed takes no more cash. A refund follows its chain and counts from what
stood before; a batch that waits for approval takes no more items; nothing of it is booked before another person has approved exactly
its content; a payout moves along its states and its amount stays.
"""

from django.db import migrations

STAYS = """
CREATE FUNCTION nuan_only_these_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - TG_ARGV) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV) THEN
        RAISE EXCEPTION '%: row % keeps what it says', TG_TABLE_NAME, OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
CHANGING = {
    "billing_paymentfile": ("seen_at",),
    "billing_payment": ("open_fen", "doubt", "home_id"),
    "billing_refundbatch": ("state", "posted_at", "posted_on"),
    "billing_refunditem": ("withdrawn", "entry_id"),
    "billing_refundpayout": ("state", "why", "channel", "channel_txn", "sent_at", "done_on", "refund_of_id"),
}
NEVER = ("billing_allocation", "billing_channelevent", "billing_counterday", "billing_refundnotice")
KEEP = """
CREATE TRIGGER only_these_change BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION nuan_only_these_change({columns});
CREATE TRIGGER append_only_rows BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO_KEEP = """
DROP TRIGGER only_these_change ON {table};
DROP TRIGGER append_only_rows ON {table};
DROP TRIGGER append_only_table ON {table};
"""
APPEND_ONLY = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO_APPEND_ONLY = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"

PAYMENTS = """
CREATE FUNCTION nuan_payment_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one record; who bigint;
BEGIN
    who := CASE TG_TABLE_NAME WHEN 'billing_payment' THEN NEW.id ELSE (to_jsonb(NEW)->>'payment_id')::bigint END;
    SELECT p.amount_fen, p.open_fen, coalesce((SELECT sum(a.amount_fen) FROM billing_allocation a WHERE a.payment_id = p.id), 0) AS placed
    INTO one FROM billing_payment p WHERE p.id = who;
    IF one.amount_fen - one.placed <> one.open_fen THEN
        RAISE EXCEPTION 'payment %: % fen, % placed, but % open', who, one.amount_fen, one.placed, one.open_fen
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_adds_up AFTER INSERT OR UPDATE ON billing_payment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION nuan_payment_adds_up();
CREATE CONSTRAINT TRIGGER allocation_adds_up AFTER INSERT ON billing_allocation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION nuan_payment_adds_up();

CREATE FUNCTION nuan_allocation_mirrors() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE other record;
BEGIN
    SELECT * INTO other FROM billing_allocation WHERE id = NEW.undoes_id;
    IF other.amount_fen <> -NEW.amount_fen OR other.payment_id <> NEW.payment_id OR other.home_id <> NEW.home_id
       OR other.bill_id IS DISTINCT FROM NEW.bill_id THEN
        RAISE EXCEPTION 'allocation: % does not mirror what it takes back', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER allocation_mirrors BEFORE INSERT ON billing_allocation FOR EACH ROW WHEN (NEW.undoes_id IS NOT NULL)
    EXECUTE FUNCTION nuan_allocation_mirrors();

CREATE FUNCTION nuan_counter_day_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('counter ' || NEW.company_id));
    IF EXISTS (SELECT 1 FROM billing_counterday d WHERE d.company_id = NEW.company_id
               AND d.day = (NEW.paid_at AT TIME ZONE 'Asia/Shanghai')::date) THEN
        RAISE EXCEPTION 'counter: the day of % is closed', NEW.paid_at USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER counter_day_open BEFORE INSERT ON billing_payment FOR EACH ROW WHEN (NEW.channel = 'counter')
    EXECUTE FUNCTION nuan_counter_day_open();
"""
UNDO_PAYMENTS = """
DROP TRIGGER counter_day_open ON billing_payment;
DROP TRIGGER allocation_mirrors ON billing_allocation;
DROP TRIGGER allocation_adds_up ON billing_allocation;
DROP TRIGGER payment_adds_up ON billing_payment;
DROP FUNCTION nuan_counter_day_open, nuan_allocation_mirrors, nuan_payment_adds_up;
"""

REFUNDS = """
CREATE FUNCTION nuan_refund_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last record; batch record;
BEGIN
    SELECT * INTO batch FROM billing_refundbatch WHERE id = NEW.batch_id;
    IF batch.state <> 'proposed' OR EXISTS (
        SELECT 1 FROM billing_proposal p WHERE p.kind = 'refund_batch' AND p.subject = 'refund_batch:' || NEW.batch_id) THEN
        RAISE EXCEPTION 'refunds: batch % takes no more items', NEW.batch_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.entry_id IS NOT NULL OR NEW.withdrawn THEN
        RAISE EXCEPTION 'refunds: an item begins unbooked' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.after_id IS NULL THEN
        IF NEW.before_fen <> 0 THEN
            RAISE EXCEPTION 'refunds: the first item counts from nothing' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO last FROM billing_refunditem WHERE id = NEW.after_id FOR UPDATE;
    IF last.withdrawn OR last.entry_id IS NULL OR last.target_fen <> NEW.before_fen OR (last.home_id, last.clause, last.season, last.item)
       IS DISTINCT FROM (NEW.home_id, NEW.clause, NEW.season, NEW.item) THEN
        RAISE EXCEPTION 'refunds: an item does not follow %', NEW.after_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_follows BEFORE INSERT ON billing_refunditem FOR EACH ROW EXECUTE FUNCTION nuan_refund_follows();

CREATE FUNCTION nuan_refund_booked_when_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.entry_id IS NOT NULL OR OLD.withdrawn OR (NEW.entry_id IS NOT NULL AND NEW.withdrawn) THEN
        RAISE EXCEPTION 'refunds: item % is settled', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.entry_id IS NOT NULL AND NOT nuan_approved('refund_batch', 'refund_batch:' || NEW.batch_id,
        (SELECT content_hash FROM billing_refundbatch WHERE id = NEW.batch_id)) THEN
        RAISE EXCEPTION 'refunds: batch % is not approved by another person', NEW.batch_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_booked_when_approved BEFORE UPDATE ON billing_refunditem
    FOR EACH ROW EXECUTE FUNCTION nuan_refund_booked_when_approved();

CREATE FUNCTION nuan_batch_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'proposed' THEN
        RAISE EXCEPTION 'refunds: batch % is settled', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'posted' AND NOT nuan_approved('refund_batch', 'refund_batch:' || NEW.id, NEW.content_hash) THEN
        RAISE EXCEPTION 'refunds: batch % is not approved by another person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_moves BEFORE UPDATE ON billing_refundbatch FOR EACH ROW EXECUTE FUNCTION nuan_batch_moves();

CREATE FUNCTION nuan_payout_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('pending', 'in_transit'), ('pending', 'credited'), ('pending', 'cancelled'), ('in_transit', 'paid'), ('in_transit', 'failed')) THEN
        RAISE EXCEPTION 'payout %: % does not become %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_moves BEFORE UPDATE ON billing_refundpayout FOR EACH ROW EXECUTE FUNCTION nuan_payout_moves();

CREATE FUNCTION nuan_payout_of_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'pending' OR NOT EXISTS (SELECT 1 FROM billing_refundbatch b WHERE b.id = NEW.batch_id AND b.state = 'posted') THEN
        RAISE EXCEPTION 'payout: batch % is not booked', NEW.batch_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_of_posted BEFORE INSERT ON billing_refundpayout FOR EACH ROW EXECUTE FUNCTION nuan_payout_of_posted();
"""
UNDO_REFUNDS = """
DROP TRIGGER payout_of_posted ON billing_refundpayout;
DROP TRIGGER payout_moves ON billing_refundpayout;
DROP TRIGGER batch_moves ON billing_refundbatch;
DROP TRIGGER refund_booked_when_approved ON billing_refunditem;
DROP TRIGGER refund_follows ON billing_refunditem;
DROP FUNCTION nuan_payout_of_posted, nuan_payout_moves, nuan_batch_moves, nuan_refund_booked_when_approved, nuan_refund_follows;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_payments_and_refunds"), ("audit", "0002_append_only")]
    operations = [
        migrations.RunSQL(STAYS, "DROP FUNCTION nuan_only_these_change;"),
        *(
            migrations.RunSQL(
                KEEP.format(table=table, columns=", ".join(f"'{name}'" for name in columns)), UNDO_KEEP.format(table=table)
            )
            for table, columns in CHANGING.items()
        ),
        *(migrations.RunSQL(APPEND_ONLY.format(table=t), UNDO_APPEND_ONLY.format(table=t)) for t in NEVER),
        migrations.RunSQL(PAYMENTS, UNDO_PAYMENTS),
        migrations.RunSQL(REFUNDS, UNDO_REFUNDS),
    ]
