"""These tests import records while they are collected; the small city and its cast come from tests/conftest.py."""

import django

django.setup()
