"""What the database itself refuses: changed money rows, a fund below zero, spending without two approvals, more paid than owed or committed.

Each guard locks the row that its sum is about (FOR NO KEY UPDATE: writers wait for each other, foreign keys do not), and sums afterwards,
so that two who come at once cannot both pass.
"""

from django.db import migrations

ADDED_TO_ONLY = (
    "support_repair", "support_costentry", "support_fundapplication", "support_funddecision", "support_fundmovement",
    "support_subsidyprogramme", "support_subsidypayment", "support_debtpayment", "support_settlementplan", "support_instalment",
    "support_fundinguse", "support_nilreport",
)
GUARD = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO_GUARD = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"

SUMS = """
CREATE FUNCTION support_fund_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked support_fundapplication;
    balance numeric;
    spent numeric;
BEGIN
    PERFORM 1 FROM support_fundaccount WHERE id = NEW.account_id FOR NO KEY UPDATE;
    IF NEW.kind = 'spending' THEN
        SELECT * INTO asked FROM support_fundapplication WHERE id = NEW.application_id;
        IF asked.account_id <> NEW.account_id OR asked.eligibility <> 'eligible' THEN
            RAISE EXCEPTION 'fund: application % does not allow spending from this account', asked.code USING ERRCODE = 'check_violation';
        END IF;
        IF (SELECT position FROM support_asset WHERE id = asked.asset_id) NOT IN ('outside', 'boundary') THEN
            RAISE EXCEPTION 'fund: what application % is for does not lie outside', asked.code USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM support_funddecision WHERE application_id = asked.id AND answer = 'refused')
           OR (SELECT count(*) FROM support_funddecision WHERE application_id = asked.id AND answer = 'approved') < 2 THEN
            RAISE EXCEPTION 'fund: application % is not approved by two people', asked.code USING ERRCODE = 'check_violation';
        END IF;
        SELECT coalesce(sum(-amount_fen), 0) INTO spent FROM support_fundmovement WHERE application_id = asked.id;
        IF spent - NEW.amount_fen > asked.amount_fen THEN
            RAISE EXCEPTION 'fund: more than application % asked for', asked.code USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    SELECT coalesce(sum(amount_fen), 0) INTO balance FROM support_fundmovement WHERE account_id = NEW.account_id;
    IF balance + NEW.amount_fen < 0 THEN
        RAISE EXCEPTION 'fund: the balance would fall below zero' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fund_guard BEFORE INSERT ON support_fundmovement FOR EACH ROW EXECUTE FUNCTION support_fund_guard();

CREATE FUNCTION support_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked support_fundapplication;
    bureau text;
    decider accounts_user;
BEGIN
    SELECT * INTO asked FROM support_fundapplication WHERE id = NEW.application_id;
    SELECT banner_id INTO bureau FROM support_fundaccount WHERE id = asked.account_id FOR NO KEY UPDATE;
    SELECT * INTO decider FROM accounts_user WHERE id = NEW.decided_by_id;
    IF decider.id = asked.applied_by_id THEN
        RAISE EXCEPTION 'fund: whoever applied does not decide' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT decider.is_active OR NOT (decider.role = 'city' OR (decider.role = 'banner' AND decider.banner_id = bureau)) THEN
        RAISE EXCEPTION 'fund: only the bureau of the banner or of the city decides' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.answer = 'approved' AND asked.eligibility <> 'eligible' THEN
        RAISE EXCEPTION 'fund: application % is not eligible', asked.code USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM support_fundmovement WHERE application_id = asked.id) THEN
        RAISE EXCEPTION 'fund: application % is paid already', asked.code USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decision_guard BEFORE INSERT ON support_funddecision FOR EACH ROW EXECUTE FUNCTION support_decision_guard();

CREATE FUNCTION support_debt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owed numeric;
BEGIN
    SELECT amount_fen INTO owed FROM support_governmentdebt WHERE id = NEW.debt_id FOR NO KEY UPDATE;
    IF (SELECT coalesce(sum(amount_fen), 0) FROM support_debtpayment WHERE debt_id = NEW.debt_id) + NEW.amount_fen > owed THEN
        RAISE EXCEPTION 'debt: more would be paid than is owed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER debt_guard BEFORE INSERT ON support_debtpayment FOR EACH ROW EXECUTE FUNCTION support_debt_guard();

CREATE FUNCTION support_funding_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE committed numeric;
BEGIN
    SELECT committed_fen INTO committed FROM support_fundingsource WHERE id = NEW.source_id FOR NO KEY UPDATE;
    IF (SELECT coalesce(sum(amount_fen), 0) FROM support_fundinguse WHERE source_id = NEW.source_id) + NEW.amount_fen > committed THEN
        RAISE EXCEPTION 'funding: more would be used than is committed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER funding_guard BEFORE INSERT ON support_fundinguse FOR EACH ROW EXECUTE FUNCTION support_funding_guard();

CREATE FUNCTION support_lowered_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'support_governmentdebt' THEN
        IF NEW.amount_fen < (SELECT coalesce(sum(amount_fen), 0) FROM support_debtpayment WHERE debt_id = NEW.id) THEN
            RAISE EXCEPTION 'debt: less than was paid already' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.committed_fen < (SELECT coalesce(sum(amount_fen), 0) FROM support_fundinguse WHERE source_id = NEW.id) THEN
        RAISE EXCEPTION 'funding: less than was used already' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER debt_lowered BEFORE UPDATE ON support_governmentdebt FOR EACH ROW EXECUTE FUNCTION support_lowered_guard();
CREATE TRIGGER funding_lowered BEFORE UPDATE ON support_fundingsource FOR EACH ROW EXECUTE FUNCTION support_lowered_guard();
"""
UNDO_SUMS = """
DROP TRIGGER funding_lowered ON support_fundingsource;
DROP TRIGGER debt_lowered ON support_governmentdebt;
DROP TRIGGER funding_guard ON support_fundinguse;
DROP TRIGGER debt_guard ON support_debtpayment;
DROP TRIGGER decision_guard ON support_funddecision;
DROP TRIGGER fund_guard ON support_fundmovement;
DROP FUNCTION support_lowered_guard();
DROP FUNCTION support_funding_guard();
DROP FUNCTION support_debt_guard();
DROP FUNCTION support_decision_guard();
DROP FUNCTION support_fund_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("support", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        *(migrations.RunSQL(GUARD.format(table=table), UNDO_GUARD.format(table=table)) for table in ADDED_TO_ONLY),
        migrations.RunSQL(SUMS, UNDO_SUMS),
    ]
