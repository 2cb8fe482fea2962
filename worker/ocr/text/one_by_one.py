"""Run line images through the recogniser, each by itself, so that a line gets the same result in every company.

In a batch it does not: matrices are multiplied a block of rows at a time, a row's last bits depend on its place among
the others, and a frame at the edge of being a blank falls to one side or the other. So two equal lines could read
differently. One at a time costs our recogniser up to a tenth more, and PP-OCR's a sixth less.

A line is padded to its own bucket (the next multiple of 32): the network reads the padding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.frames import Frames
from worker.ocr.text import ctc
from worker.ocr.text.ctc import BestPath

LineImage = NDArray[np.float32]  # (channels, height, W), W a multiple of the recogniser's pixels per frame

BUCKET = 32  # px
WHOLE = 8  # px; a multiple of every recogniser's pixels per frame
LONGEST = 1600  # px; a longer line is cut at a gap, because time and memory grow with the width
SEARCH_FROM = 1200  # px; the gap is looked for between here and LONGEST
CONTEXT = 192  # px; so much of its neighbours a piece of a long line sees, or the space between them would be lost


class LineNetwork(Protocol):
    """What reading lines needs of a recogniser."""

    def frames(self, batch: NDArray[np.float32]) -> list[Frames]:
        """(N, channels, height, W) float32 -> the frames of each line, as many for each pixel of the width."""


def recognise_lines(
    lines: Sequence[LineImage],
    recognizer: LineNetwork,
    checkpoint: Callable[[], None] = lambda: None,
    read: Callable[[Frames], BestPath] = ctc.best_path,
) -> list[BestPath]:
    """Return the path of each line, in the order given.

    Args:
        lines: Prepared images.
        recognizer: Gives the frames.
        checkpoint: Called before each line, or piece of a long one.
        read: Frames -> path.
    """
    pieces = [(index, piece) for index, line in enumerate(lines) for piece in _pieces_of(line)]
    by_line: dict[int, list[BestPath]] = defaultdict(list)
    for index, piece in pieces:
        checkpoint()
        padded = pad(piece.image)[None]
        (frames,) = recognizer.frames(padded)
        by_line[index].append(read(frames.part(piece.frames(frames.count / padded.shape[3]))))
    return [ctc.join_paths(by_line[index]) for index in range(len(lines))]


@dataclass(frozen=True)
class _Piece:
    """A part of a line with something of its neighbours. start, end: px of the image, what is the part's own."""

    image: LineImage
    start: int
    end: int

    def frames(self, frames_per_pixel: float) -> slice:
        """Which frames are the part's own."""
        return slice(int(self.start * frames_per_pixel), int(self.end * frames_per_pixel))


def _pieces_of(line: LineImage) -> list[_Piece]:
    """Return the parts of a line that are read apart, each seen with CONTEXT on both sides."""
    ends = list(accumulate(part.shape[2] for part in split_long(line)))
    return [_piece(line, start, end) for start, end in pairwise([0, *ends])]


def _piece(line: LineImage, start: int, end: int) -> _Piece:
    seen = max(0, start - CONTEXT)
    return _Piece(line[:, :, seen : end + CONTEXT], start - seen, end - seen)


def pad(line: LineImage) -> LineImage:
    """Pad a line image on the right with 0 to its bucket's width."""
    channels, height, width = line.shape
    padded = np.zeros((channels, height, width + -width % BUCKET), line.dtype)
    padded[:, :, :width] = line
    return padded


def split_long(line: LineImage) -> list[LineImage]:
    """Cut a line image wider than LONGEST at the end of the widest gap before that; cuts fall on whole frames.

    The network says that there is a space in the middle of the gap, so all of it stays with the part before it.
    """
    pieces = []
    while line.shape[2] > LONGEST:
        cut = _widest_gap(line[0, :, SEARCH_FROM:LONGEST]) + SEARCH_FROM
        cut -= cut % WHOLE
        pieces.append(line[:, :, :cut])
        line = line[:, :, cut:]
    return [*pieces, line]


def _widest_gap(window: NDArray[np.float32]) -> int:
    """Return a column near the end of the longest run of columns, (32, W), that hardly change from top to bottom."""
    change = window.max(0) - window.min(0)
    quiet = np.concatenate([[False], change <= change.min() + 0.15 * (change.max() - change.min()), [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    widest = int(np.argmax(ends - starts))
    return int(starts[widest] + 3 * ends[widest]) // 4
