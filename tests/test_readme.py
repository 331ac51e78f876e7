"""The README's example runs and prints what it shows; its table and commands are true."""

import re
import subprocess
import sys

import pytest

from tests.public import FOLDERS, ROOT, public_names

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("first", [0, 2], ids=["one label", "several labels"])
def test_example_prints_what_is_shown(first):
    (language, example), (_, shown) = BLOCKS[first : first + 2]
    assert language == "python"
    assert len([line for line in example.splitlines() if line]) <= 15
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, check=True
    ).stdout
    # Scores may differ in their last digits between machines; pandas fills lines with blanks.
    loose = re.compile(r"at least 0\.\d+| +$", flags=re.MULTILINE)
    assert loose.sub("", printed) == loose.sub("", shown)


def test_table_names_what_is_public():
    rows = dict(re.findall(r"^\| `(\w+)` \|.*?\| (.+) \|$", README, flags=re.MULTILINE))
    assert sorted(rows) == sorted(FOLDERS)
    for folder, names in rows.items():
        named = re.findall(r"`(\w+)`", names)
        assert named, folder
        assert set(named) <= set(public_names(folder)), folder


def test_commands_and_extras_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([\w-]+)`|^make ([\w-]+)", README, flags=re.MULTILINE):
        assert f"\n{''.join(target)}:" in makefile
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = re.findall(r'pip install "\.\[(\w+)\]"', README)
    assert len(extras) >= 8
    for extra in extras:
        assert re.search(rf"^{extra} = \[", pyproject, flags=re.MULTILINE)


def test_pictures_exist():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).stat().st_size < 150_000
