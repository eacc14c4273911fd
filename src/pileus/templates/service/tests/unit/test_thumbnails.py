import io

import pytest
from PIL import Image

from src.services import thumbnails
from src.services.thumbnails import Rejected, thumbnail


def jpeg(size, colour=(200, 30, 30), mode="RGB", **options):
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, "JPEG", **options)
    return out.getvalue()


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("size", [(800, 600), (600, 800), (2000, 100), (50, 50), (1, 1)])
def test_any_size_becomes_a_square_of_200(size):
    image = opened(thumbnail(jpeg(size)))
    assert (image.format, image.size, image.mode) == ("JPEG", (200, 200), "RGB")


def test_the_middle_stays_and_the_sides_are_cut_off():
    wide = Image.new("RGB", (600, 200), (0, 0, 255))
    wide.paste((255, 0, 0), (200, 0, 400, 200))
    out = io.BytesIO()
    wide.save(out, "JPEG", quality=95)
    red, _, blue = opened(thumbnail(out.getvalue())).getpixel((10, 100))
    assert red > 200 > 60 > blue


def test_the_camera_held_upright_gives_an_upright_picture():
    picture = Image.new("RGB", (400, 400), (0, 0, 255))
    picture.paste((255, 0, 0), (0, 0, 400, 200))  # red on top as stored
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    red, _, blue = opened(thumbnail(out.getvalue())).getpixel((100, 190))
    assert red > 200 > 60 > blue


@pytest.mark.parametrize(("mode", "colour"), [("L", 128), ("CMYK", (0, 100, 100, 0))])
def test_other_colour_spaces_become_rgb(mode, colour):
    assert opened(thumbnail(jpeg((300, 300), colour, mode))).mode == "RGB"


def png():
    out = io.BytesIO()
    Image.new("RGB", (10, 10)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("data", [b"", b"not an image", png(), jpeg((400, 400))[:300], b"\xff\xd8\xff" + b"\0" * 500])
def test_what_is_no_readable_jpeg_is_rejected(data):
    with pytest.raises(Rejected, match="not a readable JPEG"):
        thumbnail(data)


def test_too_many_pixels_are_rejected_before_they_are_decoded():
    with pytest.raises(Rejected, match="pixels"):
        thumbnail(jpeg((8001, 5000)))


def test_too_many_bytes_are_rejected(monkeypatch):
    monkeypatch.setattr(thumbnails, "MAX_BYTES", 100)
    with pytest.raises(Rejected, match="100 bytes"):
        thumbnail(jpeg((100, 100)))
