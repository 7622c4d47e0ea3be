"""These stories need the records: Django is made ready before the tests import its models."""

import django

django.setup()
