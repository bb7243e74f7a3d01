"""Reading YAML files that people write; what YAML would lose or misread in silence is refused."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from advprune.errors import UserError

MERGED = "tag:yaml.org,2002:merge"  # of the key <<, of which YAML loses none
MISREAD = re.compile(r"[-+]?0[0-9_]+|.*:.*")  # 010 is 8 in YAML 1.1, and 1:30 is 90


def read_yaml(path: str | Path, what: str) -> Any:
    """Read a file of JSON or, as Snakemake does, else of YAML.

    Args:
        path: the file.
        what: what to call it in the message.

    Raises:
        UserError: it cannot be read, is neither, or gives a key twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        try:
            return json.loads(text, object_pairs_hook=_each_key_once)
        except json.JSONDecodeError:
            return yaml.load(text, _Loader)  # noqa: S506, a child of the safe loader
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{what} {path} cannot be read: {error}") from error


class _Loader(yaml.SafeLoader):
    """Raises ValueError for a key that is given twice and for numbers in old notations."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGED:
                continue
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                raise ValueError(_given_twice(key.value, f" in lines {lines[name]} and {line}"))
            lines[name] = line
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        value = super().construct_yaml_int(node)
        if MISREAD.fullmatch(node.value):
            raise ValueError(
                f"{node.value} in line {node.start_mark.line + 1} is {value} in YAML: write the "
                "number that is meant without a leading 0 or a colon, or in quotes if it is text"
            )
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(_given_twice(next(name for name in names if names.count(name) > 1), ""))
    return content


def _given_twice(name: str, where: str) -> str:
    return (
        f"the key {name!r} is given twice{where}, and only the later would count: put what both "
        "hold under one"
    )
