"""/v1: recognition."""

from fastapi import APIRouter

router = APIRouter(tags=["Recognition"])
