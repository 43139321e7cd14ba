"""Learner records: a learner's badges bundled into one signed ClrCredential (1EdTech CLR Standard 2.0).

The register says which badges stand; the others are left out, and the answer says which and why. A record is a picture of its
moment: it does not follow its badges, whose own status tells what has become of them.
"""
