"""Endorsements: an issuer vouches for a Profile, an achievement or a badge, and takes in what others say of its own.

Each is a credential of its own (Open Badges 3.0, EndorsementCredential). A few may be carried inside new badges, where nothing
about them can turn (`app.openbadges.endorsement`); all that the issuer has accepted are served and shown beside what they
endorse.
"""
