"""Reports for program directors: counts and rates with their denominators and intervals, as JSON and CSV.

Every report takes the same filters (`filters`) and says in one sentence what it shows. A file per report; small cells are
suppressed so that no two answers give them away.
"""
