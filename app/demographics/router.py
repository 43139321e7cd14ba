"""/v1: demographics."""

from fastapi import APIRouter

router = APIRouter(tags=["Demographics"])
