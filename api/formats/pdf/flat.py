"""An image as it is seen: nothing transparent, in a mode that every format knows."""

from __future__ import annotations

from PIL import Image

ORIENTATION = 0x0112
OPAQUE, BRIGHT, UNIFORM = 200, 160, 48
"""As recognition sees transparency: what is bright all over is shown on black, everything else on white."""


def orientation_of(image: Image.Image) -> int:
    """How an image says it is turned, 1 to 8; 1 where it says nothing that makes sense."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except (ValueError, SyntaxError, OSError, KeyError, TypeError):
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def flat(image: Image.Image) -> Image.Image:
    """The image in a mode that PNG and PDF both know, nothing transparent; its EXIF comes along."""
    exif = image.getexif()
    flattened = _flattened(image)
    if ORIENTATION in exif:
        flattened.getexif()[ORIENTATION] = exif[ORIENTATION]
    return flattened


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "black" if _is_bright(rgba) else "white")
        return Image.alpha_composite(ground, rgba).convert("L" if image.mode in ("LA", "La") else "RGB")
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 257).convert("L")
    if image.mode in ("1", "L", "P", "RGB"):
        return image.copy()
    return image.convert("RGB")


def _is_bright(image: Image.Image) -> bool:
    alpha = image.getchannel("A").point(lambda value: 255 if value >= OPAQUE else 0)
    counts = image.convert("RGB").convert("L").histogram(alpha)
    visible = sum(counts)
    if visible in (0, image.width * image.height):
        return False
    low, middle, high = (_percentile(counts, visible * share) for share in (0.1, 0.5, 0.9))
    return high - low <= UNIFORM and middle >= BRIGHT


def _percentile(counts: list[int], wanted: float) -> int:
    seen = 0
    for value, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return value
    return len(counts) - 1
