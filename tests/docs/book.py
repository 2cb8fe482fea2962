"""The sample book of docs/samples: a PDF whose pages are of the kinds that people send.

    python -m tests.docs.book

Pages 1 to 6 were born digital, page 3 with writing in a picture, page 7 is a scan.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.pdfs import PdfPage, pdf, picture, scan, text

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
FILE = SAMPLES / "book.pdf"
CHAPTERS = (
    ("A queue that forgets nothing", "A job is a row in a table, and a message holds its name alone.",
     "Whoever loses the message finds the row, and sends it again."),
    ("Who reads", "One worker takes a job for a while, and says so every few seconds.",
     "If it falls silent another one takes the job, at the page after the last."),
    ("An order from the shop", "The slip below lay in the book. Its text is in no layer of this page,",
     "so it is read from the picture and put where it stands."),
    ("What is written down", "Each change of a job is an event, with who did it and from where.",
     "Events are never changed. Their seals make a chain."),
    ("How sure it is", "A confidence of 0.9 means that nine of ten such characters are right.",
     "It was measured on pages that no model had seen before."),
    ("What comes out", "Text, tables and pages with invisible writing over them.",
     "The page stays as it was."),
)  # fmt: skip


def image(name: str) -> Image.Image:
    return Image.open(SAMPLES / name).convert("RGB")


def chapter(number: int, lines: tuple[str, ...]) -> PdfPage:
    heading, *body = lines
    content = text(f"{number}. {heading}", 72, 740, 20)
    content += b"".join(text(line, 72, 700 - 18 * row) for row, line in enumerate(body))
    content += text(str(number), 295, 40, 10)
    if number != 3:
        return PdfPage(content)
    slip = image("line-mixed.png")
    return PdfPage(content + picture("Slip", 72, 600, 400, 400 * slip.height / slip.width), images={"Slip": slip})


def book() -> bytes:
    """The whole file."""
    paper = Image.new("RGB", (1240, 700), "white")
    paper.paste(image("line-english.png"), (150, 300))
    return pdf([*(chapter(number, lines) for number, lines in enumerate(CHAPTERS, 1)), scan(paper, 150)])


if __name__ == "__main__":
    FILE.write_bytes(book())
