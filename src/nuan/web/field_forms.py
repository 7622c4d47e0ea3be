"""Where a form of the field leads once it has arrived: a redirect, or, for the script that sent it, the address in a header.

A script that followed the redirect itself would swallow the sentence that the next page has to say.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def arrived(request: HttpRequest, address: str) -> HttpResponse:
    if request.headers.get("X-Field-Form"):
        return HttpResponse(status=204, headers={"X-Location": address})
    return redirect(address)
