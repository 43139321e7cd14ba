"""Pathways: rules over what somebody has earned ("four in all, one of each domain, two from Literacy"), and their badges.

A rule is data, its progress is explained, an award that is due is proposed, and a person approves it: then it is a decision
like any other (`app.scoring`).
"""
