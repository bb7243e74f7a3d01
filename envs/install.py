"""Install a lock into an environment, whatever pip is told elsewhere to do with packages.

    python3 envs/install.py .venv/bin/python envs/requirements.lock

pip reads settings from PIP_… variables and pip.conf. Those that say where packages come from are
kept; any other, such as a user's own folder to install into, would leave the environment without
its packages. For the Python and the pip of any machine, without a package beyond pip.
"""

import ast
import os
import re
import subprocess
import sys

OLDEST_PIP = (22, 3)  # the first that installs into an environment which has no pip of its own
KEPT = {
    *("index-url", "pypi-url", "extra-index-url", "no-index", "find-links", "trusted-host"),
    *("cert", "client-cert", "proxy", "timeout", "default-timeout", "retries"),
    *("keyring-provider", "use-feature", "use-deprecated", "cache-dir", "no-cache-dir"),
}
SECTIONS = ("global", "install", ":env:")  # later ones win
PIP = [sys.executable, "-m", "pip"]


def main() -> None:
    """Check pip, then install."""
    python, lock = sys.argv[1:]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    plain["PIP_CONFIG_FILE"] = os.devnull  # then pip reads no file at all
    check_pip(plain)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock]
    command = [*PIP, "--python", python, "install", *options]
    sys.exit(subprocess.run(command, env={**plain, **kept_settings()}, check=False).returncode)


def check_pip(variables: "dict[str, str]") -> None:
    """End with a sentence if pip is missing or too old."""
    answer = subprocess.run(
        [*PIP, "--version"], env=variables, capture_output=True, text=True, check=False
    )
    found = re.match(r"pip ((\d+)\.(\d+)\S*)", answer.stdout)
    another = "or name another Python that has one: make PYTHON=python3.12 …"
    wanted = ".".join(map(str, OLDEST_PIP))
    if not found:
        sys.exit(
            "error: {} has no pip that works ({}): install pip {} or newer for it (on Debian: apt "
            "install python3-pip), {}".format(
                sys.executable, answer.stderr.strip().split("\n")[-1], wanted, another
            )
        )
    if (int(found[2]), int(found[3])) < OLDEST_PIP:
        sys.exit(
            f"error: pip {found[1]} of {sys.executable} is older than {wanted}: update it "
            f"({sys.executable} -m pip install --upgrade pip), {another}"
        )


def kept_settings() -> "dict[str, str]":
    """Where packages come from, by pip's variables and files, as pip's variables."""
    answer = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(
            f"error: pip cannot read its settings: {answer.stderr.strip()}\nMend them, or do "
            f"without the files: PIP_CONFIG_FILE={os.devnull} make"
        )
    found = re.findall(r"^(.+?)\.([\w-]+)=(.+)$", answer.stdout, re.M)
    kept = {}
    for section in SECTIONS:
        for place, key, value in found:
            if place == section and key in KEPT:
                kept["PIP_" + key.upper().replace("-", "_")] = ast.literal_eval(value)
    return kept


if __name__ == "__main__":
    main()
