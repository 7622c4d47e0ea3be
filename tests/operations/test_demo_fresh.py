"""`nuan demo --fresh` beside live telemetry: never under a running intake, and nothing is remembered of lanes that are no more."""

import json
from pathlib import Path

import pytest
from django.test import override_settings

from nuan.operations.demo import build_demo_city, clear_folders, demo_file
from nuan.operations.intake_folding import HANDED_OVER, handed_over
from nuan.operations.intake_settings import IntakeSettingsError, intake_folder
from nuan.operations.intake_supervisor import only_one


def test_a_city_is_not_taken_away_under_a_running_intake(tmp_path: Path) -> None:
    readings = tmp_path / "readings"
    readings.mkdir()
    intake_folder(tmp_path).mkdir()
    with override_settings(NUAN_HOME=tmp_path, READINGS_ROOT=readings), only_one(intake_folder(tmp_path)):
        demo_file().write_text(json.dumps({"state": "done"}), "utf-8")
        with pytest.raises(IntakeSettingsError, match="nuan intake"):
            build_demo_city(400, fresh=True, actor="刘科")
        assert json.loads(demo_file().read_text("utf-8")) == {"state": "done"}
        assert readings.is_dir()


def test_letters_of_new_lanes_are_not_taken_for_letters_of_old_ones(tmp_path: Path) -> None:
    folder = intake_folder(tmp_path)
    folder.mkdir()
    (folder / HANDED_OVER).write_text('{"w0": 500}', "utf-8")
    with override_settings(NUAN_HOME=tmp_path, READINGS_ROOT=tmp_path / "readings"):
        clear_folders()
    assert handed_over(folder) == {}
