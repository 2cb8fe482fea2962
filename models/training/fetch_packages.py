"""Fetch the Debian packages that fonts and corpora are taken from and unpack them, without installing anything.

    python -m models.training.fetch_packages build/training

Needs a Debian (or Ubuntu) machine with an up-to-date package list (`apt-get update`). Nothing runs as root and no
package script is executed: `apt-get download`, then `dpkg-deb --extract` into `DIR/root`.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys

from models.training.drawing.fonts import FACES

PACKAGES = pathlib.Path(__file__).with_name("packages.txt")


def package_names(file: pathlib.Path = PACKAGES) -> list[str]:
    """Names in a list of packages, comments and blank lines left out."""
    rows = (row.split("#", 1)[0].strip() for row in file.read_text("utf-8").splitlines())
    return [row for row in rows if row]


def fetch(folder: pathlib.Path, names: list[str]) -> pathlib.Path:
    """Download and unpack the packages below `folder`; returns the root they are unpacked in.

    A package that the distribution no longer carries is named and left out: one font more or less is no failure.
    """
    archives, root = folder / "archives", folder / "root"
    archives.mkdir(parents=True, exist_ok=True)
    root.mkdir(exist_ok=True)
    for name in names:
        if list(archives.glob(f"{name}_*.deb")):
            continue
        done = subprocess.run(["apt-get", "download", name], cwd=archives, capture_output=True, text=True)
        if done.returncode:
            print(f"left out {name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            continue
        for archive in archives.glob(f"{name}_*.deb"):
            subprocess.run(["dpkg-deb", "--extract", archive, root], check=True)
        (folder / FACES).unlink(missing_ok=True)
    return root


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=pathlib.Path, help="where to put archives/ and root/")
    parser.add_argument("--list", type=pathlib.Path, default=PACKAGES, help="a file that names the packages")
    args = parser.parse_args()
    print(f"unpacked in {fetch(args.folder, package_names(args.list))}")


if __name__ == "__main__":
    main()
