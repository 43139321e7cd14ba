"""/v1/submissions: submissions."""

from fastapi import APIRouter

router = APIRouter(tags=["Submissions"])
