"""/v1: pathways."""

from fastapi import APIRouter

router = APIRouter(tags=["Pathways"])
