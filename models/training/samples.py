"""Draw the sample images of docs/samples: rendered, for photos and scans of other people are not ours to ship.

python -m models.training.samples build/training docs/samples
"""

from __future__ import annotations

import argparse
import pathlib

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SANS = "root/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
SERIF = "root/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"
MONO = "root/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf"
SIMPLIFIED = 2

RECEIPT = """\
SUNRISE BOOKS & CAFE
18 Harbour Road, Level 2
Tel: 555-0142

Receipt No: A-20417
Date: 14/03/2026 16:42
--------------------------------
Notebook A5 ruled     2   9.80
Green tea             1   3.50
Pencil set HB         1   4.25
--------------------------------
SUBTOTAL                 17.55
TAX 6%                    1.05
TOTAL                    18.60
CASH                     20.00
CHANGE                    1.40

Thank you, please come again!"""

PAGE = """\
使用说明
ocrelay 是一个自托管的文字识别服务。上传图片之后，
服务立即返回任务编号，识别工作由后台进程完成。
每次识别的结果、置信度、客户端地址和图片的哈希值
都会写入数据库，方便以后查询和审计。

English and Chinese may stand on one line: 请在 2026 年
12 月 31 日前完成 version 2.0 的升级，费用为 ¥1,280.50。
A queue between the intake and the workers keeps every
upload safe, even when a worker or the broker is killed.
"""

LINES = {
    "line-english.png": (SERIF, "The quick brown fox jumps over the lazy dog, 1234567890."),
    "line-chinese.png": (SERIF, "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。"),
    "line-mixed.png": (SANS, "订单编号 AB-2026-0417，共 3 件商品，合计 ¥268.90 元"),
}


def font(folder: pathlib.Path, name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(folder / name, size, index=SIMPLIFIED if name.endswith(".ttc") else 0)


def draw(text: str, face: ImageFont.FreeTypeFont, margin: int, spacing: int = 10) -> np.ndarray:
    """Black text on white, (H, W) uint8."""
    ruler = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = ruler.multiline_textbbox((0, 0), text, face, spacing=spacing)
    image = Image.new("L", (round(right - left) + 2 * margin, round(bottom - top) + 2 * margin), 255)
    ImageDraw.Draw(image).multiline_text((margin - left, margin - top), text, 0, face, spacing=spacing)
    return np.array(image)


def photograph(image: np.ndarray, angle: float, seed: int) -> np.ndarray:
    """A slight tilt, uneven light and grain, as a camera over paper would give."""
    rows, columns = image.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 1.0)
    image = cv2.warpAffine(image, turn, (columns, rows), flags=cv2.INTER_CUBIC, borderValue=255)
    light = np.linspace(0.95, 0.72, columns)[None, :] * np.linspace(1.0, 0.9, rows)[:, None]
    noise = np.random.default_rng(seed).normal(0, 4, image.shape)
    return np.clip((40 + image * 0.8) * light + noise, 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the sample images.")
    parser.add_argument("folder", type=pathlib.Path, help="the training folder, with the unpacked fonts")
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (face, text) in LINES.items():
        cv2.imwrite(str(args.out / name), draw(text, font(args.folder, face, 32), 12))
    cv2.imwrite(str(args.out / "page.png"), draw(PAGE, font(args.folder, SERIF, 28), 70, spacing=18))
    receipt = photograph(draw(RECEIPT, font(args.folder, MONO, 26), 60, spacing=12), 2.0, 1)
    cv2.imwrite(str(args.out / "receipt.jpg"), receipt, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
