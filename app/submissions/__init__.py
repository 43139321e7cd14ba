"""Submissions: an educator's attempt at a performance task, from the draft to the decision.

The parts of the task are text, the artifacts are files (digest, media type, size; sealed under the learner's key, never
rendered) or URLs. A submission is screened before anybody scores it, and can be withdrawn until the first reading begins. Team
members share artifacts and reflect each for themselves.
"""
