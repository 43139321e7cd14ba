"""The `assay` command. What a command needs is imported when it is wanted: all of it together takes seconds."""

import sys
from importlib import import_module
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from app.cli.start import errors
from app.errors import AssayError

_MODULES = {
    "migrate": "serving",
    "serve": "serving",
    "work": "serving",
    "demo": "serving",
    "verify": "verify",
    "issuers": "issuers",
    "keys": "keys",
    "import": "imports",
    "tokens": "keys",
    "audit": "operation",
    "check": "operation",
    "doctor": "operation",
    "backup": "operation",
    "restore": "operation",
}
"""Where each command is, in the order in which they are listed."""


class _Commands(TyperGroup):
    def list_commands(self, ctx: object) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: object, cmd_name: str) -> Any:
        if cmd_name not in _MODULES:
            return None
        found = typer.main.get_command(import_module(f"app.cli.{_MODULES[cmd_name]}").commands)
        return found.commands[cmd_name] if isinstance(found, TyperGroup) else found


# Pretty tracebacks print local variables, and those may be keys and people.
cli = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@cli.callback()
def _begin() -> None:
    """From an assessor's decision to a badge that verifies everywhere."""


def main() -> None:
    """Entry point: errors we know are told in a sentence with their cure, not as a traceback."""
    try:
        cli()
    except AssayError as error:
        errors.print(f"[red]{error.code}[/red]: {escape(error.detail)}", soft_wrap=True)
        for fault in error.faults:
            told = f"{fault.pointer} {fault.detail}".strip() + (f": {fault.cure}" if fault.cure else "")
            errors.print(f"  {told}", soft_wrap=True, highlight=False, markup=False)
        if error.cure:
            errors.print(error.cure, soft_wrap=True, markup=False)
        sys.exit(2)
