"""OAuth 2.0."""

from fastapi import APIRouter

router = APIRouter(tags=["OAuth 2.0"])
