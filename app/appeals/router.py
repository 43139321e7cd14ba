"""/v1/appeals: appeals and moderation."""

from fastapi import APIRouter

router = APIRouter(tags=["Appeals and moderation"])
