"""Checking YAML files against a JSON Schema, with one sentence about what is wrong first."""

import difflib
import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from advprune.errors import UserError

EXPONENT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]{1,4}", re.ASCII)


def _is_number(_: object, value: object) -> bool:
    """NaN and infinity are no numbers here, nor is a whole number too large for a float."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_integer(_: object, value: object) -> bool:
    """3.0 is no whole number here, though JSON Schema takes it for one."""
    # A number too: jsonschema compares only numbers with a maximum.
    return isinstance(value, int) and _is_number(_, value)


_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def check_against(schema: Path, content: Any, what: str) -> None:
    """Check the content of a YAML file.

    Args:
        schema: a JSON Schema, itself as YAML.
        content: what the file holds.
        what: what to call it in the message.

    Raises:
        UserError: the message names one key, its value and what is allowed there.
    """
    validator = _Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))
    try:
        errors = sorted(
            validator.iter_errors(content), key=lambda found: list(map(str, found.path))
        )
    except ValueError as error:  # Python writes down no number of more than 4,300 digits
        raise UserError(
            f"{what}: a whole number in it has thousands of digits ({error}): make it smaller"
        ) from error
    if errors:
        raise UserError(_explained(errors[0], content, what))


def _explained(error: jsonschema.ValidationError, content: Any, what: str) -> str:
    where = _place(error, content)
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        unknown = sorted(map(str, set(error.instance) - set(known)))[0]
        near = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"{what}: {where + '.' if where else ''}{unknown} is no key of the {what}; {hint}"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{what}: {where + '.' if where else ''}{missing[0]} is missing"
    if error.validator == "enum":
        allowed = "one of " + ", ".join(map(str, error.validator_value))
    else:
        allowed = error.schema.get("description", f"of type {error.schema.get('type')}")
    value = repr(error.instance)
    shown = value if len(value) <= 80 else value[:77] + "…"
    return f"{what}: {where or 'the file'} is {shown}, but must be {allowed}{_advice(error, what)}"


def _advice(error: jsonschema.ValidationError, what: str) -> str:
    """How to write what is text where it was not meant to be."""
    if not isinstance(error.instance, str):
        return ""
    if EXPONENT.fullmatch(error.instance) and isinstance(yaml.safe_load(error.instance), str):
        return f" ({error.instance} is text in YAML: write {_yaml_number(error.instance)})"
    if what == "config" and error.validator == "type":
        return " (--config makes text of true, null and all within {}: set it in a config file)"
    return ""


def _yaml_number(text: str) -> str:
    """A number with an exponent as YAML 1.1 takes it for one: with a dot and a sign, or whole."""
    mantissa, exponent = text.lower().split("e")
    whole = Decimal(text)
    if whole == whole.to_integral_value() and abs(int(exponent)) < 16:
        return f"{whole:f}".partition(".")[0]
    digits = f"{Decimal(mantissa):f}"
    return f"{digits if '.' in digits else digits + '.0'}e{int(exponent):+d}"


def _place(error: jsonschema.ValidationError, content: Any) -> str:
    """The keys that lead to an error; an item of a list by its id if it has one."""
    where = ""
    for part in error.absolute_path:
        content = content[part]
        if isinstance(part, int):
            named = isinstance(content, dict) and isinstance(content.get("id"), str)
            where += f"[{content['id'] if named else part}]"
        else:
            where += f".{part}"
    return where.lstrip(".")
