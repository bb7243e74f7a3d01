"""What every program does alike: log lines with the time, errors without a traceback."""

import json
import logging
import sys
from collections.abc import Callable
from typing import TypeVar

from advprune.errors import UserError
from advprune.runs import Specification

SpecificationType = TypeVar("SpecificationType", bound=Specification)


def run_program(main: Callable[[], None]) -> None:
    """Run a program's ``main``; a `UserError` becomes its message and exit status 1."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    for chatty in ("auto-attack", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")


def parse_spec(kind: type[SpecificationType], text: str) -> SpecificationType:
    """Read a specification from JSON.

    Raises:
        UserError: the text is no JSON, or a field is missing or unknown.
    """
    try:
        return kind.from_dict(json.loads(text))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"--spec is not a specification of {kind.__name__}: {error}") from error
