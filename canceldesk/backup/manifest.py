"""What a backup says about itself."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

NAME = "manifest.json"
FORMAT = 1


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Member(_Told):
    """One file in the backup; `sha256` in hexadecimal, `size` in bytes."""

    name: str
    sha256: str
    size: int = Field(ge=0)


class Counted(_Told):
    """What a desk's database held. `began_at` is when its first table was made: it tells one desk
    from another, wherever either is moved to. `migrations` are written `app.name`.
    """

    began_at: dt.datetime
    migrations: tuple[str, ...]
    cases: int
    highest_case: int
    log_entries: int
    newest_entry_at: dt.datetime | None = None


class Manifest(_Told):
    """A backup's own account. `database` is `sqlite` or `postgresql`; `left_out` says in sentences
    what is not in it and why.
    """

    format: int = Field(ge=FORMAT, le=FORMAT)
    made_by: str
    made_at: dt.datetime
    database: str
    database_version: str
    counted: Counted
    left_out: tuple[str, ...]
    members: tuple[Member, ...]

    def member(self, name: str) -> Member | None:
        """The member of that name, if the backup has one."""
        return next((one for one in self.members if one.name == name), None)
