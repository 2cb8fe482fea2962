"""What is no image that is read here, whatever it is called."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator

import numpy as np

from tests.images import saved
from tests.malformed.case import Case, picture
from tests.malformed.png import white

REFUSED = "unsupported_media_type"


def zipped() -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../etc/passwd", bytes(1 << 20))
    return buffer.getvalue()


def cases() -> Iterator[Case]:
    """Every one of them."""
    yield Case("nothing", b"", "empty_document")
    yield Case("one byte", b"\0", REFUSED)
    yield Case("zeros", bytes(1000), REFUSED)
    yield Case("noise", np.random.default_rng(5).bytes(5000), REFUSED)
    yield Case("text", "Nur Text, 纯文本".encode(), REFUSED)
    yield Case("html", b"<!DOCTYPE html><html><script>alert(1)</script></html>", REFUSED)
    yield Case("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', REFUSED)
    yield Case(
        "xml with entities",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        REFUSED,
    )
    yield Case("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n(file) run", REFUSED)
    yield Case("zip", zipped(), REFUSED)
    yield Case("gzip of an image", gzip.compress(white()), REFUSED)
    yield Case("elf", b"\x7fELF\x02\x01\x01" + bytes(200), REFUSED)
    yield Case("windows program", b"MZ" + bytes(200), REFUSED)
    yield Case("shell script", b"#!/bin/sh\nrm -rf /\n", REFUSED)
    yield Case("icon", saved(picture().resize((32, 32)), "ICO"), REFUSED)
    yield Case("photoshop", b"8BPS\0\x01" + bytes(200), REFUSED)
    yield Case("film", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(200), REFUSED)
    yield Case("jpeg xl", b"\xff\x0a" + bytes(200), REFUSED)
    yield Case("camera raw", b"II*\0\x10\0\0\0CR\x02\0" + bytes(200), REFUSED)
    yield Case("pickle", b"\x80\x04cos\nsystem\n(S'true'\ntR.", REFUSED)
    yield Case("image behind a byte order mark", b"\xef\xbb\xbf" + white(), REFUSED)
    yield Case("image behind a line", b"\r\n" + white(), REFUSED)
    yield Case("image as text", white().hex().encode(), REFUSED)
    yield Case("more than the largest upload", white() + bytes(10 << 20), "document_too_large")
