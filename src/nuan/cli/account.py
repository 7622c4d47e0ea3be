"""`nuan account`: who may sign in."""

import json
from getpass import getuser

import click

from nuan.cli.main import Refused, setup_records

SETTINGS = {"help_option_names": ["-h", "--help"]}
PASSWORD = click.option(
    "--password", prompt="口令 / password", hide_input=True, confirmation_prompt=True, help="asked for when not given"
)


@click.group(context_settings=SETTINGS)
def account() -> None:
    """Make, list and close the accounts of the people of your city.

    \b
    nuan account create liuke --role city --name 刘科
    nuan account create xiaoli --role desk --company C01 --name 小李
    nuan account create wang --role resident --home B0042-1-0301
    nuan account close xiaoli --why 离职

    A role needs its place: desk, crew, dispatch and finance a company, banner a banner, resident a home, city none.
    Exit code 0: done; 2: not possible, with a sentence that says why.
    """


@account.command(context_settings=SETTINGS)
@click.argument("username")
@click.option("--role", required=True, help="resident, desk, crew, dispatch, finance, banner or city")
@click.option("--name", default="", help="the name that pages show")
@click.option("--company", default=None, help="code of the company")
@click.option("--banner", default=None, help="code of the banner")
@click.option("--home", default=None, help="code of the home")
@PASSWORD
def create(
    username: str, role: str, name: str, company: str | None, banner: str | None, home: str | None, password: str
) -> None:
    """Make an account."""
    setup_records()
    from nuan.operations.accounts import AccountError, create_account

    try:
        made = create_account(
            username=username,
            role=role,
            password=password,
            actor=f"cli:{getuser()}",
            display_name=name,
            company=company,
            banner=banner,
            home=home,
        )
    except AccountError as error:
        raise Refused(str(error)) from None
    click.echo(f"已建立账号 {made.username}（{made.get_role_display()}）")


@account.command("list", context_settings=SETTINGS)
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def list_accounts(as_json: bool) -> None:
    """List all accounts with role and place; homes are not shown."""
    setup_records()
    from nuan.records.accounts.models import User

    rows = [
        {
            "username": user.username,
            "name": user.display_name,
            "role": user.role,
            "place": user.company_id or user.banner_id or "",
            "open": user.is_active,
        }
        for user in User.objects.order_by("username")
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        state = "" if row["open"] else "  已停用"
        click.echo(f"{row['username']:20} {row['role']:10} {row['place']:12} {row['name']}{state}")
    if not rows:
        click.echo("还没有账号。nuan account create --help 说明怎样建立。")


@account.command(context_settings=SETTINGS)
@click.argument("username")
@PASSWORD
def password(username: str, password: str) -> None:
    """Give an account a new password; its open sessions end."""
    setup_records()
    from nuan.operations.accounts import AccountError, set_password

    try:
        set_password(username, password, actor=f"cli:{getuser()}")
    except AccountError as error:
        raise Refused(str(error)) from None
    click.echo(f"已重设 {username} 的口令")


@account.command(context_settings=SETTINGS)
@click.argument("username")
@click.option("--why", required=True, help="the reason, for the audit log")
def close(username: str, why: str) -> None:
    """Close an account; what it did stays on record."""
    setup_records()
    from nuan.operations.accounts import AccountError, close_account

    try:
        close_account(username, actor=f"cli:{getuser()}", why=why)
    except AccountError as error:
        raise Refused(str(error)) from None
    click.echo(f"已停用账号 {username}")
