"""/v1/programs: programs."""

from fastapi import APIRouter

router = APIRouter(tags=["Programs"])
