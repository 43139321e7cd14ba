"""Monitoring of assessors: drift and severity, from their scores on anchors and beside other readers.

A rule that fires makes a task for the lead, with the evidence. Nothing here changes a score, or what an assessor may do: that a
person decides.
"""
