"""/v1/people: people."""

from fastapi import APIRouter

router = APIRouter(tags=["People"])
