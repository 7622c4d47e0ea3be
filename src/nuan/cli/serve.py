"""`nuan serve`: the web pages and the API, by waitress."""

import os

import click

from nuan.cli.main import setup_records

LOCAL = {"127.0.0.1", "localhost", "::1"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--host", "--bind", default="127.0.0.1", show_default=True, help="address to listen on; 0.0.0.0 for everybody"
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, threads: int) -> None:
    """Serve the pages and the API until Ctrl-C.

    \b
    nuan serve                       http://127.0.0.1:8000, for this machine only
    nuan serve --port 0              any free port; the address is printed
    nuan serve --bind 0.0.0.0        for the network: set NUAN_HOSTS to the names it is reached by, and put TLS before it

    Exit code 0: stopped by Ctrl-C or SIGTERM; 2: the address is taken.
    """
    if host not in LOCAL:
        os.environ.setdefault("NUAN_HOSTS", "*")
    setup_records()
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from waitress.server import create_server

    if host not in LOCAL:
        if (settings.NUAN_HOME / "demo.json").is_file():
            click.secho("警告：这是演示城市，任何人都能用演示账号登录；不要对外开放。", fg="yellow", err=True)
            click.secho(
                "Warning: demo accounts sign in without a secret; do not open this to others.", fg="yellow", err=True
            )
        if "NUAN_HOSTS" not in os.environ or os.environ["NUAN_HOSTS"] == "*":
            click.secho("提示：请用 NUAN_HOSTS 写明访问用的主机名。", fg="yellow", err=True)
    try:
        server = create_server(get_wsgi_application(), host=host, port=port, threads=threads, ident="nuan")
    except OSError as error:
        refused = click.ClickException(f"{host}:{port} 不能使用：{error.strerror} / cannot listen there")
        refused.exit_code = 2
        raise refused from error
    shown = "127.0.0.1" if host == "0.0.0.0" else host
    bound = getattr(server, "effective_port", port)
    click.echo(f"暖 Nuan：http://{shown}:{bound}/  （Ctrl-C 停止）")
    _until_stopped(server)


def _until_stopped(server) -> None:  # type: ignore[no-untyped-def]
    import signal
    import sys

    def leave(*_: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    try:
        server.run()
    finally:
        server.close()
        click.echo("已停止。")
