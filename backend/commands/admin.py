"""`admin`: make an administrator's account, invite somebody to make one, shut an account out or let it in again,
whether or not the backend runs."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from typing import TYPE_CHECKING

from backend.commands.exits import DONE, FAILED, WRONG_USE, complain, complain_of_data_dir
from backend.settings import Settings, SettingsError, load_settings
from backend.wire.rendezvous import Places

if TYPE_CHECKING:
    from backend.services.registration import Invitation


def administer(arguments: argparse.Namespace) -> int:
    """Do what `admin` was given; the exit code."""
    from backend.domain.errors import DomainError

    try:
        settings = load_settings({"data_dir": arguments.data_dir})
        Places.of(settings.data_dir).prepare()
        if arguments.admin_command == "create":
            password = _password(from_stdin=arguments.password_stdin)
            asyncio.run(_create(settings, arguments.username, arguments.email, password))
            done = f"Made the administrator {arguments.username}."
        elif arguments.admin_command == "invite":
            done = _invited(asyncio.run(_invite(settings, arguments.email, arguments.days)))
            if settings.registration != "invite":
                complain(
                    f"registration is {settings.registration} here: the backend asks for invitations only where it is "
                    "set to invite (PILOTHOUSE_REGISTRATION=invite)"
                )
        else:
            active = arguments.admin_command == "activate"
            username = asyncio.run(_set_active(settings, arguments.email, active))
            done = f"{username} can log in again." if active else f"{username} is shut out."
    except SettingsError as error:
        complain(str(error))
        return WRONG_USE
    except _NoPassword as error:
        complain(str(error))
        return WRONG_USE
    except DomainError as error:
        for fault in getattr(error, "fields", ()) or ():
            complain(f"{fault.field}: {fault.message}")
        if not getattr(error, "fields", ()):
            complain(error.message)
        return FAILED
    except OSError as error:
        return complain_of_data_dir(settings.data_dir, error)
    print(done)
    return DONE


class _NoPassword(Exception):
    pass


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise _NoPassword("there is no terminal to ask for the password: use --password-stdin")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise _NoPassword("the two passwords differ: nothing was done")
    return password


async def _create(settings: Settings, username: str, email: str, password: str) -> None:
    from backend.parts import open_accounts

    async with open_accounts(settings) as accounts:
        await accounts.create_admin(username, email, password)


async def _invite(settings: Settings, email: str, days: int) -> Invitation:
    from backend.parts import open_accounts

    async with open_accounts(settings) as accounts:
        return await accounts.registration.invite(email, days)


def _invited(invitation: Invitation) -> str:
    return (
        f"Invited {invitation.email} until {invitation.expires_at:%Y-%m-%d %H:%M} UTC. The code works once, and is "
        f"shown only now:\n\n    {invitation.code}\n\nIt goes into the app's form for a new account, or into the "
        "header X-Invitation-Code of a registration."
    )


async def _set_active(settings: Settings, email: str, active: bool) -> str:
    """The user's name."""
    from backend.parts import open_accounts

    async with open_accounts(settings) as accounts:
        return (await accounts.set_active(email, active)).username
