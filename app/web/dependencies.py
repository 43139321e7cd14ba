"""Typed aliases for what a route needs. A route's signature tells what it touches."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.resources import Resources


def _resources(request: Request) -> Resources:
    return cast(Resources, request.app.state.resources)


World = Annotated[Resources, Depends(_resources)]


def _now(world: World) -> datetime:
    return world.clock.now()


Now = Annotated[datetime, Depends(_now)]


async def _transaction(world: World) -> AsyncIterator[AsyncSession]:
    async with world.database.transaction() as session:
        yield session


async def _reading(world: World) -> AsyncIterator[AsyncSession]:
    async with world.database.reading() as session:
        yield session


# scope="function": the commit happens before the answer is sent, so a failed commit cannot say 201.
Session = Annotated[AsyncSession, Depends(_transaction, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(_reading, scope="function")]
