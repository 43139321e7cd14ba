"""What learners say of themselves for equity reports alone: never shown to who judges, never part of a badge.

    vocabulary.py   the dimensions an issuer asks for and their values, as data · declare.py: what a learner says, and takes back
    store.py        their tables · tell.py: the only opening of what was said: for the learner, exports, and a report's job

It stands above the rooms that judge, which cannot import it.
"""
