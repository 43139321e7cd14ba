"""Learner records."""

from fastapi import APIRouter

router = APIRouter(tags=["Learner records"])
