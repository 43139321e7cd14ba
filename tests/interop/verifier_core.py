"""npm `@digitalcredentials/verifier-core` as a test oracle: the verifier of VerifierPlus and Learner Credential Wallet.

It runs in Node (`verify.mjs`, beside this file), installed with `npm ci --prefix tests/interop`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ACHIEVEMENT_SCHEMA = HERE.parents[2] / "shared" / "data" / "schema-strict" / "ob_v3p0_achievementcredential_schema.json"

_SECONDS = 120


def require_node() -> None:
    """Skip the running test when Node or verifier-core is not installed; fail it instead when the variable CI is true.

    A build server that silently skips the other verifiers would report conformance nobody checked.
    """
    if shutil.which("node") is None:
        missing = "node is not installed (18.13 or later)"
    elif not (HERE / "node_modules" / "@digitalcredentials" / "verifier-core").is_dir():
        missing = "verifier-core is not installed: npm ci --prefix tests/interop"
    else:
        return
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(missing)
    pytest.skip(missing)


def require_achievement_schema() -> None:
    """Skip the running test when the OB 3.0 JSON Schema is absent: verifier-core then gives no `schema_check`."""
    if not ACHIEVEMENT_SCHEMA.is_file():
        pytest.skip("the OB 3.0 JSON Schemas are not beside the project (shared/data/schema-strict)")


def verify_with_verifier_core(
    credentials: Sequence[dict[str, Any]], *, extra_ca: Path | None = None, documents: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Verify secured credentials with verifier-core, in one Node process, and give one result per credential, in order.

    Each result has the members `verify.mjs` describes (`id`, `log`, `schema`, `fatal`, `refused`) and `steps`, the same
    verdicts as one mapping:

    - `valid_signature`, `expiration`, `registered_issuer`, and `revocation_status` or `suspension_status`: True or
      False; None when it could not be carried out (its error is in `log`); absent when verifier-core never got there;
    - `schema_check`: True or False; absent without the OB 3.0 JSON Schema (`ACHIEVEMENT_SCHEMA`) or a fatal error.

    Compare with `is True`: absent and None are not passes. No registry is asked, so `registered_issuer` is False.

    Status lists and DID documents must be on this machine, or among `documents` by their URLs; `extra_ca` is the PEM file of the
    CA to trust for https.
    Skips the running test when Node is missing (`require_node`). Raises RuntimeError when verify.mjs itself breaks.
    """
    require_node()
    schema = json.loads(ACHIEVEMENT_SCHEMA.read_bytes()) if ACHIEVEMENT_SCHEMA.is_file() else None
    run = subprocess.run(
        ["node", str(HERE / "verify.mjs")],
        input=json.dumps({"credentials": list(credentials), "schema": schema, "documents": dict(documents or {})}),
        env=os.environ | ({"NODE_EXTRA_CA_CERTS": str(extra_ca)} if extra_ca else {}),
        capture_output=True,
        encoding="utf-8",
        timeout=_SECONDS,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"verify.mjs ended with {run.returncode}:\n{run.stderr}")
    results = [json.loads(line) for line in run.stdout.splitlines()]
    if len(results) != len(credentials):
        raise RuntimeError(f"verify.mjs answered {len(results)} of {len(credentials)} credentials:\n{run.stderr}")
    return [result | {"steps": _steps(result)} for result in results]


def _steps(result: dict[str, Any]) -> dict[str, bool | None]:
    steps = {entry["id"]: entry.get("valid") for entry in result["log"]}
    if result["schema"] is not None:
        # anything but a list is verifier-core saying that it found no schema or could not use it
        steps["schema_check"] = isinstance(result["schema"], list) and all(one["valid"] for one in result["schema"])
    return steps
