"""How a badge of a test issuer says so. PURE.

Open Badges 3.0 has no term for "this is a test", and a term of our own would be dropped by other people's verifiers. So
the mark is text, in the places every wallet and verifier shows: the issuer's name (beside every badge, in every list) and
description, and the credential's name and description. All four are signed, so nobody can take the mark off. The
achievement is left alone: it may become real, under a real issuer, word for word.
"""

PREFIX = "TEST: "
WARNING = "Issued for testing. It certifies nothing."


def mark_name(name: str) -> str:
    """The name with the mark before it; once, also when it is there already."""
    return name if name.startswith(PREFIX) else PREFIX + name


def mark_description(description: str | None) -> str:
    """The warning, then the description if there is one; once, also when it is there already."""
    if not description:
        return WARNING
    return description if description.startswith(WARNING) else f"{WARNING}\n\n{description}"
