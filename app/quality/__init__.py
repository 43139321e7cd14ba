"""Quality reports: how well the judgments on an achievement version agree, per calendar quarter, public and frozen.

Only blind, independent pairs of readings count (`app.readings.pairs`); those that a trigger asked for are a biased sample and are
reported apart. The numbers are those of `app.psychometrics`; intervals that take resampling are computed by a job and stored.
"""
