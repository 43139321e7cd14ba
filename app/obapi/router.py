"""Open Badges API."""

from fastapi import APIRouter

router = APIRouter(tags=["Open Badges API"])
