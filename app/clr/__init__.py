"""Comprehensive Learner Records: a learner's badges bundled into one signed credential (CLR 2.0)."""
