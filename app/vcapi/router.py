"""VC-API."""

from fastapi import APIRouter

router = APIRouter(tags=["VC-API"])
