"""Accounts of a real city: a role needs its place, a weak password is refused, a closed account opens nothing, and each act is on record."""

import pytest
from django.conf import settings

from nuan.operations.accounts import AccountError, close_account, create_account, set_password
from nuan.records.audit.models import AuditEntry
from nuan.records.registry.models import Company

pytestmark = pytest.mark.django_db
GOOD = "yi-duan-hen-chang-de-hua-2026"


def make(**changes: object) -> object:
    wanted = {"username": "xiaoli", "role": "desk", "password": GOOD, "actor": "刘科", "company": "C01"}
    return create_account(**{**wanted, **changes})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def company() -> Company:
    return Company.objects.create(code="C01", name="示例第一热力公司")


def test_a_desk_clerk_signs_in_and_the_act_is_on_record(client) -> None:
    make()
    answer = client.post(settings.LOGIN_URL, {"username": "xiaoli", "password": GOOD})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"]
    row = AuditEntry.objects.get(act="create_account")
    assert (row.actor, row.subject) == ("刘科", "xiaoli")
    assert GOOD not in str(row.details)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"company": None}, "--company", id="a desk without its company"),
        pytest.param({"banner": "1"}, "--company", id="a desk with a banner besides"),
        pytest.param({"role": "city"}, "不带", id="a city user with a company"),
        pytest.param({"role": "king"}, "没有角色", id="a role that is not there"),
        pytest.param({"company": "C99"}, "C99", id="a company that is not there"),
        pytest.param({"password": "12345678"}, "密码", id="a password of the common ones"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(changes: dict[str, object], says: str) -> None:
    with pytest.raises(AccountError, match=says):
        make(**changes)
    assert not AuditEntry.objects.filter(act="create_account").exists()


def test_the_same_name_twice_is_refused() -> None:
    make()
    with pytest.raises(AccountError, match="已经有了"):
        make()


def test_a_closed_account_has_no_way_in_and_closing_twice_changes_nothing() -> None:
    user = make()
    close_account("xiaoli", actor="刘科", why="离职")
    close_account("xiaoli", actor="刘科", why="离职")
    user.refresh_from_db()  # type: ignore[attr-defined]
    assert not user.is_active  # type: ignore[attr-defined]
    assert AuditEntry.objects.filter(act="close_account").count() <= 2


def test_a_new_password_ends_the_old_one() -> None:
    user = make()
    set_password("xiaoli", GOOD + "-xin", actor="刘科")
    user.refresh_from_db()  # type: ignore[attr-defined]
    assert user.check_password(GOOD + "-xin")  # type: ignore[attr-defined]
    assert not user.check_password(GOOD)  # type: ignore[attr-defined]
