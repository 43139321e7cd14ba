"""The people of the demonstration program: 116 invented fellows and a panel of seven assessors known only by code."""

import unicodedata
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.proofs.verification_method import did_key

ASSESSMENT_PANEL: dict[str, Any] = {
    "external_id": "sila-panel",
    "name": "SILA Assessment Panel",
    "description": (
        "Seven practicing school leaders certified by the academy. They read each submission against the published rubric, "
        "without the name of the fellow and without earlier results; many are read twice, and a lead adjudicates where two "
        "readers disagree. Assessors do not read work from their own school, and calibrate together."
    ),
    "url": "https://academy.example.org/assessment-panel",
    "members": [f"SILA-A{number}" for number in range(1, 8)],
}
"""Body of POST /v1/panels."""

_NAMES = (
    "Amara Okafor", "Daniel Whitfield", "Lucía Hernández", "Priya Raman", "Marcus Bellamy", "Hannah Lindqvist",
    "Tomás Villanueva", "Keisha Broadnax", "Wei-Lin Chen", "Owen Gallagher", "Fatima Al-Rashid", "Rebecca Steinmetz",
    "Jamal Thornton", "Mai Nguyen", "Caroline Prescott", "Santiago Ibarra", "Aaliyah Freeman", "Grace Oyelaran",
    "Patrick Donnelly", "Yesenia Morales", "Andre Castleberry", "Noor Siddiqui", "Emily Kowalczyk", "Devon Braithwaite",
    "Hye-Jin Park", "Robert Ashcroft", "Monique Delacroix", "Ravi Subramanian", "Leilani Kahale", "Terrence Mayfield",
    "Sofía Castañeda", "Joshua Feldman", "Chidinma Eze", "Katherine Vandermeer", "Luis Alvarado", "Tamika Winslow",
    "Dmitri Sokolov", "Angela Ruggiero", "Kwame Boateng", "Shirin Moradi", "William Harrington", "Denise Applewhite",
    "Minh Tran", "Rosa Quiñones", "Gregory Pelletier", "Ifeoma Nwosu", "Laura Bergstrom", "Xavier Dubois",
    "Sunita Deshpande", "Calvin Rutherford", "Adriana Fuentes", "Nathaniel Cobb", "Hana Yoshida", "Latoya Merriweather",
    "Stephen O’Rourke", "Mariam Haddad", "Elena Petrova", "Jerome Ellington", "Beatriz Salgado", "Allison McKinley",
    "Tendai Moyo", "Christopher Nakamura", "Vanessa Ocampo", "Isaiah Pemberton", "Julia Brandt", "Arjun Malhotra",
    "Shanice Holloway", "Peter Zielinski", "Carmen Escobedo", "Reginald Tate", "Soo-Ah Lim", "Margaret Fitzgerald",
    "Emeka Obi", "Natalia Cárdenas", "Brandon Littlejohn", "Farah Khalil", "Jonathan Weiss", "Yolanda Burgess",
    "Khanh Pham", "Diana Marchetti", "Malik Saunders", "Teresa Zamora", "Abigail Thorne", "Samuel Asante",
    "Ingrid Solberg", "Rafael Montoya", "Candace Whitaker", "Anjali Mehta", "Derrick Vaughn", "Paloma Serrano",
    "Kevin Flaherty", "Zainab Hussain", "Theodore Lockhart", "Marisol Benítez", "Nia Drummond", "Eric Johansson",
    "Lakshmi Narayan", "Vincent Caruso", "Ebony Gaines", "Jorge Maldonado", "Rachel Abramowitz", "Tyrone Hargrove",
    "Mei Huang", "Claudia Restrepo", "Benjamin Ortega", "Aisha Bangura", "Susan Blackhorse", "Julian Escamilla",
    "Renata Oliveira", "Darnell Pettway", "Olivia Sandoval", "Haruto Ishikawa", "Felicia Goodwin", "Mateo Guerrero",
    "Saanvi Kulkarni", "Michael Redfeather",
)  # fmt: skip

_ALSO_DID = frozenset({7, 23, 41, 66, 88, 103})
_ONLY_DID = frozenset({19, 57, 95})


def fellows() -> list[dict[str, Any]]:
    """Bodies of POST /v1/learners, "sila-001" to "sila-116".

    All have a name. Six have a did:key beside their e-mail address, three have one instead of it.
    """
    return [_fellow(number, name) for number, name in enumerate(_NAMES, start=1)]


def _fellow(number: int, name: str) -> dict[str, Any]:
    body: dict[str, Any] = {"external_id": f"sila-{number:03d}", "name": name}
    if number not in _ONLY_DID:
        body["email"] = _email(name)
    if number in _ALSO_DID or number in _ONLY_DID:
        body["did"] = _did(number)
    return body


def _email(name: str) -> str:
    first, last = name.split(" ", 1)
    return f"{_ascii_letters(first)}.{_ascii_letters(last)}@schools.example.org"


def _ascii_letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text).lower() if "a" <= c <= "z" or c == "-")


def _did(number: int) -> str:
    # A made-up seed gives a well-formed public key; nobody holds or needs the private one.
    return did_key(Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")).public_key())
