"""The demonstration program: an invented School Improvement Leadership Academy with two micro-credentials.

Its content (`achievements`, `people`, `cases`, `rationales`, `decisions`) is plain data: no I/O, no clock, the same on
every call. No person, school, or result in it is real.
"""
