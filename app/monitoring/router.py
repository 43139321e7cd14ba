"""/v1: monitoring."""

from fastapi import APIRouter

router = APIRouter(tags=["Monitoring"])
