"""For any WSGI server; `nuan serve` uses waitress."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nuan.site.settings")
application = get_wsgi_application()
