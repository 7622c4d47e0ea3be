"""What the database refuses about money that goes back: without another person's yes nothing leaves the queue, and a payment still adds up.

From the approval on a return counts like an allocation; one that failed counts no more. Its amount and reason stay as they were proposed.
"""

from importlib import import_module

from django.db import migrations

before = import_module("nuan.records.billing.migrations.0011_payment_guards")
ADDS_UP = """
CREATE OR REPLACE FUNCTION nuan_payment_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one record; who bigint;
BEGIN
    who := CASE TG_TABLE_NAME WHEN 'billing_payment' THEN NEW.id ELSE (to_jsonb(NEW)->>'payment_id')::bigint END;
    SELECT p.amount_fen, p.open_fen, coalesce((SELECT sum(a.amount_fen) FROM billing_allocation a WHERE a.payment_id = p.id), 0) AS placed{columns}
    INTO one FROM billing_payment p WHERE p.id = who;
    IF one.amount_fen - one.placed{less} <> one.open_fen THEN
        RAISE EXCEPTION 'payment %: % fen, % placed, but % open', who, one.amount_fen, one.placed, one.open_fen
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""
RETURNED = """,
        coalesce((SELECT sum(r.amount_fen) FROM billing_paymentreturn r
                  WHERE r.payment_id = p.id AND r.state IN ('pending', 'in_transit', 'paid')), 0) AS returned"""
WITH_RETURNS = ADDS_UP.format(columns=RETURNED, less=" - one.returned")
WITHOUT = ADDS_UP.format(columns="", less="")
MOVES = """
CREATE CONSTRAINT TRIGGER return_adds_up AFTER INSERT OR UPDATE ON billing_paymentreturn DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION nuan_payment_adds_up();

CREATE FUNCTION nuan_return_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' THEN
            RAISE EXCEPTION 'return: it begins as a proposal' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('proposed', 'rejected'), ('proposed', 'pending'), ('pending', 'in_transit'), ('in_transit', 'paid'), ('in_transit', 'failed')) THEN
        RAISE EXCEPTION 'return %: % does not become %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state = 'proposed' AND NEW.state = 'pending'
       AND NOT nuan_approved('payment_return', 'payment_return:' || NEW.id, NEW.content_hash) THEN
        RAISE EXCEPTION 'return %: not approved by another person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER return_moves BEFORE INSERT OR UPDATE ON billing_paymentreturn FOR EACH ROW EXECUTE FUNCTION nuan_return_moves();
"""
UNDO_MOVES = """
DROP TRIGGER return_moves ON billing_paymentreturn;
DROP TRIGGER return_adds_up ON billing_paymentreturn;
DROP FUNCTION nuan_return_moves;
"""
TABLE = "billing_paymentreturn"
CHANGING = "'state', 'answer', 'channel_txn', 'sent_at', 'done_on'"


class Migration(migrations.Migration):
    dependencies = [("billing", "0012_payment_returns")]
    operations = [
        migrations.RunSQL(
            before.KEEP.format(table=TABLE, columns=CHANGING), before.UNDO_KEEP.format(table=TABLE)
        ),
        migrations.RunSQL(WITH_RETURNS, WITHOUT),
        migrations.RunSQL(MOVES, UNDO_MOVES),
    ]
