"""Endorsements."""

from fastapi import APIRouter

router = APIRouter(tags=["Endorsements"])
