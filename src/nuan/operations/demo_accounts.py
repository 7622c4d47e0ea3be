"""The cast of the sample city as accounts. Made by `nuan demo` only; their password is public and no real city may have them."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from nuan.operations.acts import act
from nuan.records.accounts.models import Role, User
from nuan.records.registry.models import Home

PASSWORD = "nuan-demo"
COMPANY, OTHER_COMPANY, BANNER = "C01", "C02", "999901"


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    name: str
    role: Role
    company: str | None = None
    banner: str | None = None


CAST = (
    Person("wangayi", "王阿姨", Role.RESIDENT),
    Person("xiaoli", "小李", Role.DESK, company=COMPANY),
    Person("laozhang", "老张", Role.CREW, company=COMPANY),
    Person("chendiaodu", "陈调度", Role.DISPATCH, company=COMPANY),
    Person("wuzhuren", "乌主任", Role.BANNER, banner=BANNER),
    Person("liuke", "刘科", Role.CITY),
    Person("zhoukuaiji", "周会计", Role.FINANCE, company=COMPANY),
    Person("zhengzhuguan", "郑主管", Role.FINANCE, company=COMPANY),
    Person("wairen", "外人", Role.DESK, company=OTHER_COMPANY),
)


def create_demo_accounts(resident_home: str, *, actor: str) -> list[dict[str, str]]:
    """The cast, as `demo.json` lists it; accounts that are already there stay as they are."""
    with act("create_demo_accounts", actor=actor, why="演示账号，口令公开") as row:
        home = Home.objects.get(code=resident_home)
        there = set(User.objects.filter(username__in=[p.username for p in CAST]).values_list("username", flat=True))
        hashed = make_password(PASSWORD)  # a slow hash, for a password that everybody knows: once is enough
        for person in CAST:
            if person.username not in there:
                User.objects.create(
                    username=person.username,
                    password=hashed,
                    display_name=person.name,
                    role=person.role,
                    company_id=person.company,
                    banner_id=person.banner,
                    home=home if person.role == Role.RESIDENT else None,
                )
        created = [person.username for person in CAST if person.username not in there]
        row.details["created"] = created
        row.nothing_changed = not created
    return [
        {"username": person.username, "name": person.name, "role": str(person.role), "role_zh": person.role.label}
        for person in CAST
    ]
