"""What learners say of themselves for equity reports alone: never shown to who judges, never part of a badge.

It stands above the rooms that judge, which cannot import it.
"""
