"""The W3C VC-API (VCALM) at the root: issue, derive, verify, status, presentations, challenges, for generic tools."""
