"""Money that came by mistake and goes back the way it came, from 待查款项. Guards: migration 0013."""

from django.db import models


class PaymentReturn(models.Model):
    """原路退回: what of a payment is open goes back to its payer. One proposes, another approves exactly `content_hash`, finance sends it.

    From the approval on it is no longer open; what fails or is not agreed to stands in the queue again.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审批"
        REJECTED = "rejected", "未同意"
        PENDING = "pending", "待付"
        IN_TRANSIT = "in_transit", "付款中"
        PAID = "paid", "已付"
        FAILED = "failed", "付款失败"

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey("billing.Payment", models.PROTECT, related_name="returns")
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="+")
    amount_fen = models.BigIntegerField()
    why = models.CharField(max_length=200)
    content_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)
    answer = models.CharField(max_length=200, blank=True, help_text="why not agreed to, or why it failed")
    channel_txn = models.CharField(max_length=80, blank=True, help_text="the channel's number of the return")
    sent_at = models.DateTimeField(null=True)
    done_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_fen__gt=0), name="return_is_positive"),
            models.UniqueConstraint(fields=["payment"], condition=models.Q(state="proposed"), name="return_asked_once"),
        ]
        indexes = [models.Index(fields=["company", "state"], name="return_by_state")]

    @property
    def number(self) -> str:
        """Our number of the return, as the channel gives it back."""
        return f"NH{self.pk:010d}"

    @property
    def subject(self) -> str:
        return f"payment_return:{self.pk}"
