"""What the database refuses about refunds that a channel made: nothing is booked without another person's yes, and a payment still adds up.

And about a claim that is set off: only what two people approved with the batch, and taken back only when two people agreed to that.
"""

from importlib import import_module

from django.db import migrations

payments = import_module("nuan.records.billing.migrations.0011_payment_guards")
returns = import_module("nuan.records.billing.migrations.0013_return_guards")
BOOKED = """,
        coalesce((SELECT sum(c.amount_fen) FROM billing_channelrefund c WHERE c.payment_id = p.id AND c.state = 'booked'), 0) AS by_channel"""
WITH_CHANNEL = returns.ADDS_UP.format(columns=returns.RETURNED + BOOKED, less=" - one.returned - one.by_channel")
MOVES = """
CREATE CONSTRAINT TRIGGER channel_refund_adds_up AFTER INSERT OR UPDATE ON billing_channelrefund DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.payment_id IS NOT NULL) EXECUTE FUNCTION nuan_payment_adds_up();

CREATE FUNCTION nuan_channel_refund_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'found' OR NEW.entry_id IS NOT NULL THEN
            RAISE EXCEPTION 'channel refund: it begins as what a file says' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'booked' OR (OLD.state, NEW.state) = ('found', 'booked') OR (NEW.state = 'booked') <> (NEW.entry_id IS NOT NULL)
       OR (OLD.payment_id IS NOT NULL AND NEW.payment_id IS DISTINCT FROM OLD.payment_id) THEN
        RAISE EXCEPTION 'channel refund %: % does not become %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'booked' AND (NEW.content_hash <> OLD.content_hash
       OR NOT nuan_approved('channel_refund', 'channel_refund:' || NEW.id, NEW.content_hash)) THEN
        RAISE EXCEPTION 'channel refund %: not approved by another person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER channel_refund_moves BEFORE INSERT OR UPDATE ON billing_channelrefund
    FOR EACH ROW EXECUTE FUNCTION nuan_channel_refund_moves();
"""
UNDO_MOVES = """
DROP TRIGGER channel_refund_moves ON billing_channelrefund;
DROP TRIGGER channel_refund_adds_up ON billing_channelrefund;
DROP FUNCTION nuan_channel_refund_moves;
"""
SET_OFF = """
CREATE FUNCTION nuan_set_off_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE batch record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT * INTO batch FROM billing_refundbatch WHERE id = NEW.batch_id;
        IF NEW.undone_id IS NOT NULL OR NOT nuan_approved('refund_batch', 'refund_batch:' || batch.id, batch.content_hash) OR NEW.amount_fen >
           coalesce((batch.set_off->>(SELECT h.code FROM registry_home h WHERE h.id = NEW.home_id))::bigint, 0) THEN
            RAISE EXCEPTION 'set-off: not what was approved with batch %', NEW.batch_id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.undone_id IS NOT NULL OR NEW.undone_id IS NOT NULL
       AND NOT nuan_approved('refund_setoff', 'refund_setoff:' || NEW.id, NEW.asked->>'hash') THEN
        RAISE EXCEPTION 'set-off %: not approved by another person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER set_off_is_approved BEFORE INSERT OR UPDATE ON billing_refundsetoff
    FOR EACH ROW EXECUTE FUNCTION nuan_set_off_is_approved();
"""
UNDO_SET_OFF = "DROP TRIGGER set_off_is_approved ON billing_refundsetoff; DROP FUNCTION nuan_set_off_is_approved;"
TABLE, SET_OFFS = "billing_channelrefund", "billing_refundsetoff"
CHANGING = "'state', 'content_hash', 'why', 'proposed_by', 'answer', 'entry_id', 'payment_id'"


class Migration(migrations.Migration):
    dependencies = [("billing", "0020_channel_refunds_and_set_off")]
    operations = [
        migrations.RunSQL(
            payments.KEEP.format(table=TABLE, columns=CHANGING), payments.UNDO_KEEP.format(table=TABLE)
        ),
        migrations.RunSQL(
            payments.KEEP.format(table=SET_OFFS, columns="'undone_id', 'asked'"), payments.UNDO_KEEP.format(table=SET_OFFS)
        ),
        migrations.RunSQL(SET_OFF, UNDO_SET_OFF),
        migrations.RunSQL(WITH_CHANNEL, returns.WITH_RETURNS),
        migrations.RunSQL(MOVES, UNDO_MOVES),
    ]
