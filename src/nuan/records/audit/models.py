"""Who did what to which record on which ground. A trigger refuses UPDATE and DELETE; each row carries the hash of the one before."""

from django.db import models


class AuditEntry(models.Model):
    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    act = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, blank=True)
    clause = models.CharField(max_length=12, blank=True)
    why = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
