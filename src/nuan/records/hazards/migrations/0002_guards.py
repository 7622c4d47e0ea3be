"""What the database itself refuses about hazards: an edited history, a state that no event explains, a re-check by whoever rectified it.

The guard on events locks the hazard, so that two who press at once are seen one after the other, and holds `state_from` against what is there.
"""

from django.db import migrations

ADDED_TO_ONLY = ("hazards_hazardchange", "hazards_photo", "hazards_checkin")
GUARD = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nuan_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nuan_append_only();
"""
UNDO_GUARD = "DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};"
STEPS = """
CREATE FUNCTION hazards_change_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    there hazards_hazard;
BEGIN
    SELECT * INTO there FROM hazards_hazard WHERE id = NEW.hazard_id FOR NO KEY UPDATE;
    IF NEW.event = 'report' THEN
        IF EXISTS (SELECT 1 FROM hazards_hazardchange WHERE hazard_id = NEW.hazard_id) THEN
            RAISE EXCEPTION 'hazard % is reported already', there.code USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state_from <> there.state THEN
        RAISE EXCEPTION 'hazard % is %, not %', there.code, there.state, NEW.state_from USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state_to = 'closed' AND NEW.event <> 'pass' THEN
        RAISE EXCEPTION 'hazard % is closed by a re-check only', there.code USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.event IN ('pass', 'fail') THEN
        IF NEW.by_id IS NULL THEN
            RAISE EXCEPTION 'hazard %: a person has to re-check', there.code USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (
            SELECT 1 FROM hazards_hazardchange c WHERE c.hazard_id = NEW.hazard_id
            AND (c.responsible_id = NEW.by_id OR (c.event IN ('start', 'rectify') AND c.by_id = NEW.by_id))
        ) THEN
            RAISE EXCEPTION 'hazard %: re-checked by somebody who rectified it or was responsible', there.code
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER change_guard BEFORE INSERT ON hazards_hazardchange FOR EACH ROW EXECUTE FUNCTION hazards_change_guard();

CREATE FUNCTION hazards_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'reported' THEN
            RAISE EXCEPTION 'hazard %: begins as reported', NEW.code USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT state_to INTO newest FROM hazards_hazardchange WHERE hazard_id = NEW.id ORDER BY id DESC LIMIT 1;
    IF NEW.state IS DISTINCT FROM coalesce(newest, 'reported') THEN
        RAISE EXCEPTION 'hazard %: no event explains the state %', NEW.code, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER state_guard BEFORE INSERT OR UPDATE ON hazards_hazard FOR EACH ROW EXECUTE FUNCTION hazards_state_guard();
"""
UNDO_STEPS = """
DROP TRIGGER state_guard ON hazards_hazard;
DROP FUNCTION hazards_state_guard();
DROP TRIGGER change_guard ON hazards_hazardchange;
DROP FUNCTION hazards_change_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("hazards", "0001_hazards_and_patrols"), ("audit", "0002_append_only")]
    operations = [
        *(migrations.RunSQL(GUARD.format(table=name), UNDO_GUARD.format(table=name)) for name in ADDED_TO_ONLY),
        migrations.RunSQL(STEPS, UNDO_STEPS),
    ]
