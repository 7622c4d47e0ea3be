"""A banner's plan for the season with its task list, and its nil reports (零报告): that nothing is there is said, never assumed."""

from django.db import models


class LocalPlan(models.Model):
    code = models.CharField(max_length=40, unique=True)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="plans")
    season = models.CharField(max_length=9)
    title = models.CharField(max_length=160)
    first_responsible = models.CharField("第一责任人", max_length=60)
    approved_on = models.DateField(null=True)
    document = models.CharField("文号", max_length=120, blank=True)


class PlanTask(models.Model):
    plan = models.ForeignKey(LocalPlan, models.PROTECT, related_name="tasks")
    number = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    owner = models.CharField("责任人", max_length=60, blank=True)
    due_on = models.DateField(null=True)
    done_on = models.DateField(null=True)
    evidence = models.CharField("完成依据", max_length=200, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="task_numbered_once")]


class NilReport(models.Model):
    class Subject(models.TextChoices):
        FUND = "fund", "没有建立保障资金"
        PLAN = "plan", "没有制定实施方案"
        BENEFICIARIES = "beneficiaries", "没有应补对象"
        ARREARS = "arrears", "没有拖欠供热企业的账"
        FUNDING = "funding", "没有安排供热资金"

    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="nil_reports")
    subject = models.CharField(max_length=14, choices=Subject.choices)
    season = models.CharField(max_length=9)
    on = models.DateField()
    signed_by = models.CharField("报告人", max_length=60)
    reference = models.CharField("报告编号", max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["banner", "subject", "season"], name="nil_reported_once")]
