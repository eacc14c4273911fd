"""JPEG in, 200×200 JPEG out. The one module that imports Pillow."""

import io

from PIL import Image, ImageOps

SIZE = (200, 200)
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000  # a 40 megapixel photograph is 120 MB of memory once decoded


class Rejected(Exception):
    """Nothing that trying again would change."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def thumbnail(image: bytes) -> bytes:
    """Fills the square and cuts off what sticks out, upright as the camera was held."""
    if len(image) > MAX_BYTES:
        raise Rejected(f"larger than {MAX_BYTES} bytes")
    try:
        return _cover(image)
    except Rejected:
        raise
    except Exception as error:
        raise Rejected("not a readable JPEG image") from error


def _cover(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:  # reads the head only
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Rejected(f"more than {MAX_PIXELS} pixels")
        image.draft("RGB", (2 * SIZE[0], 2 * SIZE[1]))  # decodes at a fraction of the size where it can
        upright = ImageOps.exif_transpose(image)
        square = ImageOps.fit(upright.convert("RGB"), SIZE, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    square.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()
