"""`canceldesk user`: who uses the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from canceldesk.commands.answering import As, AsJson, answering, say_json
from canceldesk.commands.answering import user as user_of

if TYPE_CHECKING:
    from canceldesk.accounts.models import Role as RoleOfUser

app = typer.Typer(help="Add and change the people who use the desk.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.")]
Role = Annotated[str, typer.Option(help="agent, manager or admin.")]


@app.command()
def add(
    email: Email,
    *,
    name: Annotated[str, typer.Option(help="Their name as colleagues know it.")],
    role: Role = "agent",
    by: Annotated[
        str,
        typer.Option(
            "--as", metavar="EMAIL", envvar="CANCELDESK_AS", help="The admin who does it."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Add somebody. The very first user is an admin and needs no --as."""
    with answering(as_json=as_json):
        import secrets

        from canceldesk.accounts import models, services

        if by:
            made = services.create_user(email=email, name=name, role=_role(role), by=user_of(by))
            password = made.one_time_password
        elif models.User.objects.exists():
            raise typer.BadParameter("Say with --as which admin adds the user.")
        else:
            password = secrets.token_urlsafe(12)
            services.create_first_admin(email=email, name=name, password=password)
        _say_password(email, password, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show everybody."""
    with answering(as_json=as_json):
        from canceldesk.accounts.models import User

        everybody = list(User.objects.order_by("name"))
        if as_json:
            say_json(
                [
                    {"email": u.email, "name": u.name, "role": u.role, "active": u.is_active}
                    for u in everybody
                ]
            )
            return
        for one in everybody:
            switched_off = "" if one.is_active else "  (switched off)"
            typer.echo(f"{one.email}  {one.name}, {one.get_role_display()}{switched_off}")


@app.command()
def role(
    email: Email,
    new_role: Annotated[str, typer.Argument(metavar="ROLE", help="agent, manager or admin.")],
    *,
    by: As,
) -> None:
    """Give somebody another role."""
    with answering():
        from canceldesk.accounts import services

        services.change_role(user_of(email), _role(new_role), by=user_of(by))
        typer.echo(f"{email} is now {new_role}.")


@app.command()
def disable(email: Email, *, by: As) -> None:
    """Switch somebody off; they are signed out everywhere at once."""
    with answering():
        from canceldesk.accounts import services

        services.disable(user_of(email), by=user_of(by))
        typer.echo(f"{email} is switched off.")


@app.command()
def enable(email: Email, *, by: As) -> None:
    """Switch somebody on again."""
    with answering():
        from canceldesk.accounts import services

        services.enable(user_of(email), by=user_of(by))
        typer.echo(f"{email} is switched on.")


@app.command()
def password(email: Email, *, by: As, as_json: AsJson = False) -> None:
    """Give somebody a one-time password to hand over."""
    with answering(as_json=as_json):
        from canceldesk.accounts import services

        made = services.give_one_time_password(user_of(email), by=user_of(by))
        _say_password(email, made, as_json=as_json)


def _role(text: str) -> RoleOfUser:
    from canceldesk.accounts.models import Role

    try:
        return Role(text)
    except ValueError as problem:
        raise typer.BadParameter(f"“{text}” is none of {', '.join(Role.values)}.") from problem


def _say_password(email: str, password: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"done": True, "email": email, "password": password})
        return
    typer.echo(f"{email} can sign in with the password {password}")
