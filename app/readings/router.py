"""/v1/readings: readings."""

from fastapi import APIRouter

router = APIRouter(tags=["Readings"])
