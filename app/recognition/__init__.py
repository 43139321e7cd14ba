"""Recognition: a district or state verifies a set of badges and grants renewal credit for them.

A recognizer sees badges that people hand over, never decisions: a not-yet is nowhere in reach.
"""
