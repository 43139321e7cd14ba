"""What an operator does with an installation: verify what is stored, ask what is wrong, take it away and bring it back.

Nothing here changes a badge. The commands of `app.cli` are its only callers.
"""
