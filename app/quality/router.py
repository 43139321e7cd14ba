"""/v1: quality."""

from fastapi import APIRouter

router = APIRouter(tags=["Quality"])
