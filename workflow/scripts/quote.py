#!/usr/bin/env python3
"""Put into documents what they quote from results, between the comments that mark it."""

import argparse
import sys
from pathlib import Path

from advprune.errors import UserError
from advprune.program import run_program
from advprune.report.quotes import with_quotes
from advprune.storage.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="the folder of the results")
    parser.add_argument("documents", nargs="+", type=Path, help="Markdown files")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; status 1 if a quotation is out of date"
    )
    options = parser.parse_args()
    texts = {path: read_document(path) for path in options.documents}
    changed = {
        path: new
        for path, text in texts.items()
        if (new := with_quotes(text, options.results)) != text
    }
    if options.check and changed:
        sys.exit(
            f"error: {', '.join(map(str, changed))} quotes other numbers than {options.results} has"
        )
    for path, text in changed.items():
        write_text(path, text)


def read_document(path: Path) -> str:
    """The text of a document.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}): name a Markdown file") from error


if __name__ == "__main__":
    run_program(main)
