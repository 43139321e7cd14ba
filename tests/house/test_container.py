"""What the Dockerfile and compose.yaml promise: nobody is root, nothing unlocked is installed, nothing secret gets in.

Building the image needs a container engine, which tests do not; the promises can be read.
"""

import re

from tests.conftest import PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text()
COMPOSE = (PROJECT / "compose.yaml").read_text()


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and arguments, lines that go on joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word.upper(), rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines()) if word]


def last_stage(text: str) -> list[tuple[str, str]]:
    found = instructions(text)
    begin = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    return found[begin:]


def faults(text: str) -> list[str]:
    """What a Dockerfile breaks of the house's promises."""
    everything, last = instructions(text), last_stage(text)
    users = [rest for word, rest in last if word == "USER"]
    installs = [
        c for w, rest in everything if w == "RUN" for c in rest.split("&&") if re.search(r"\bpip3? install\b", c)
    ]
    checks = {
        "several stages": sum(word == "FROM" for word, _ in everything) > 1,
        "slim base": all("-slim" in rest for word, rest in everything if word == "FROM"),
        "runs as 10001": bool(users) and users[-1] == "10001:10001",
        "nothing is built or copied after the user is set, as root or not": not users
        or all(word not in ("RUN", "COPY", "ADD") for word, _ in last[last.index(("USER", users[-1])) :]),
        "every package is hashed, or is this one": bool(installs)
        and all("--require-hashes" in c or ("--no-deps" in c and c.rstrip().endswith("-e .")) for c in installs),
        "wheels only": all("--only-binary :all:" in c for c in installs if "--require-hashes" in c),
        "nothing fetched beside pip": not re.search(r"\b(curl|wget|ADD https?)\b", text),
        "no secret": not re.search(r"KEY_ENCRYPTION_KEY|PASSWORD|TOKEN", text),
        "health check": any(word == "HEALTHCHECK" and "CMD" in rest for word, rest in last),
        "no bytecode written at run time": any(
            "PYTHONDONTWRITEBYTECODE=1" in rest for word, rest in last if word == "ENV"
        ),
    }
    return [name for name, holds in checks.items() if not holds]


def test_dockerfile_keeps_its_promises() -> None:
    assert faults(DOCKERFILE) == []


def test_broken_promises_are_noticed() -> None:
    """The pair of the test above."""
    for spoiled, fault in (
        (DOCKERFILE.replace("USER 10001:10001\n", ""), "runs as 10001"),
        (DOCKERFILE.replace("USER 10001:10001", "USER root"), "runs as 10001"),
        (DOCKERFILE.replace("--require-hashes ", ""), "every package is hashed, or is this one"),
        (DOCKERFILE + "RUN pip install rich\n", "every package is hashed, or is this one"),
        (DOCKERFILE.replace("--only-binary :all: ", ""), "wheels only"),
        (DOCKERFILE + "ENV ASSAY_KEY_ENCRYPTION_KEY=x\n", "no secret"),
        (DOCKERFILE.replace("-slim", ""), "slim base"),
    ):
        assert fault in faults(spoiled), fault


def test_what_is_copied_is_let_through_and_nothing_else() -> None:
    ignore = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert ignore[0] == "*"
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    copied = {
        source
        for word, rest in instructions(DOCKERFILE)
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == let_through
    assert all((PROJECT / source).exists() for source in copied)
    assert not copied & {"keys", "var", ".env", ".git", "tests"}


def test_compose_asks_for_its_secrets_and_holds_none() -> None:
    for name in ("ASSAY_KEY_ENCRYPTION_KEY", "POSTGRES_PASSWORD", "ASSAY_PUBLIC_URL"):
        assert re.search(rf"\$\{{{name}:\?", COMPOSE), name
        assert not re.search(rf"^\s*{name}: [^$]*$", COMPOSE, re.MULTILINE), name
    for promise in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", '"127.0.0.1:8000:8000"'):
        assert promise in COMPOSE, promise
