"""`make vendor`: takes the pages' libraries from their npm packages, if these have the hashes of `vendor.json`.

What it writes is in the repository, so nobody who uses ocrelay needs npm. It writes the hash of each file beside
them, and a test holds files and hashes together.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

LIST = Path(__file__).parent / "vendor.json"
FOLDER = Path(__file__).parent / "static" / "vendor"
HASHES = FOLDER / "SHA256SUMS"


def main() -> None:
    """Fetch, check and unpack every package of the list."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package in json.loads(LIST.read_text("utf-8"))["packages"]:
        with tempfile.TemporaryDirectory() as folder:
            unpack(fetch(package, Path(folder)), package["files"])
    HASHES.write_text(sums(), "utf-8")


def fetch(package: dict[str, Any], folder: Path) -> Path:
    """Let npm download a package; end the program where its hash is another one."""
    name = f"{package['name']}@{package['version']}"
    subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", name], cwd=folder, check=True, stdout=sys.stderr)
    (archive,) = folder.glob("*.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != package["integrity"]:
        sys.exit(f"{name} has the hash {found}, and api/web/vendor.json another. Find out why before you change it.")
    return archive


def unpack(archive: Path, files: dict[str, str]) -> None:
    """Write the files that are wanted, and no others."""
    with tarfile.open(archive) as package:
        for source, target in files.items():
            member = package.extractfile(f"package/{source}")
            assert member is not None, f"{source} is no file"
            (FOLDER / target).write_bytes(without_map(member.read()))


def without_map(content: bytes) -> bytes:
    """A file without the comment that names its source map, which no browser shall look for."""
    return b"\n".join(
        line for line in content.split(b"\n") if not line.startswith((b"//# sourceMappingURL", b"/*# sourceM"))
    )


def sums() -> str:
    """SHA-256 of each file, as `sha256sum` writes it."""
    paths = sorted(path for path in FOLDER.iterdir() if path != HASHES)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


if __name__ == "__main__":
    main()
