"""/v1/misconduct-cases: misconduct."""

from fastapi import APIRouter

router = APIRouter(tags=["Misconduct"])
