"""Agreement, reliability, severity and drift of people who score. PURE, and of the standard library alone.

Scores are positions on an ordered scale: 0 is its lowest level. What cannot be computed (no data, one category only, one
rater) is a `Statistic` without a value and with a reason: never 1.0, never NaN. No coefficient stands alone: agreement, kappa,
alpha and AC1 are told side by side, each with its n and interval.
"""
