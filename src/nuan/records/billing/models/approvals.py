"""Four eyes: what one person proposes another decides. Rows stand for ever; migration 0004 has the database refuse the same person,
another content than was proposed, and an approver who cannot sign in."""

from django.db import models


class Proposal(models.Model):
    """`subject` says what would be done, `content_hash` exactly which content. The newest proposal of a subject is the one that counts."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=24, help_text="bill_run, period_close, refund_batch, …")
    subject = models.CharField(max_length=120)
    company = models.ForeignKey("registry.Company", models.PROTECT, null=True, related_name="+")
    content_hash = models.CharField(max_length=64)
    summary = models.JSONField(default=dict)
    needed = models.PositiveSmallIntegerField(default=1, help_text="how many others have to approve")
    proposed_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "subject", "-id"])]
        constraints = [models.CheckConstraint(condition=models.Q(needed__gte=1), name="proposal_needs_another")]


class Decision(models.Model):
    """One other person's yes or no to a proposal, with the hash of what they saw."""

    class Answer(models.TextChoices):
        APPROVED = "approved", "同意"
        REJECTED = "rejected", "退回"

    id = models.BigAutoField(primary_key=True)
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="decisions")
    answer = models.CharField(max_length=8, choices=Answer.choices)
    content_hash = models.CharField(max_length=64)
    why = models.TextField(blank=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "decided_by"], name="decided_once_by_one")]
