"""Pictures of the field: what the camera wrote is gone but time and place, and nothing that is no picture gets in."""

from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from nuan.operations.photos import LONGEST_SIDE, MOST_BYTES, PhotoError, keep_photo, keep_photos, photo
from nuan.terms.places import CHINA
from small_hazards import picture


@pytest.fixture(autouse=True)
def home(settings, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path
    return tmp_path


def from_a_phone(orientation: int = 1, gps: dict[int, object] | None = None) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretPhone"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:01:05 02:13:44"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place.update(gps if gps is not None else {1: "N", 2: (39.0, 49.0, 30.0), 3: "E", 4: (109.0, 59.0, 24.0)})
    return picture(400, 200, exif=exif)


def test_time_and_place_are_noted_and_everything_else_is_gone(home: Path) -> None:
    kept = keep_photo(from_a_phone())
    assert kept.taken_at == datetime(2026, 1, 5, 2, 13, 44, tzinfo=CHINA)
    assert (round(kept.longitude, 4), round(kept.latitude, 4)) == (109.99, 39.825)
    content = photo(kept.digest)
    assert content is not None
    opened = Image.open(BytesIO(content))
    assert (opened.format, opened.size, dict(opened.getexif())) == ("JPEG", (400, 200), {})
    assert b"SecretPhone" not in content
    assert b"Exif" not in content
    assert [path.name for path in home.rglob("*") if path.is_file()] == [f"{kept.digest}.jpg"]


def test_lying_pictures_are_turned_and_large_ones_made_smaller() -> None:
    turned = keep_photo(from_a_phone(orientation=6))
    assert (turned.width, turned.height) == (200, 400)
    large = keep_photo(picture(4000, 3000))
    assert (large.width, large.height) == (LONGEST_SIDE, 1200)


@pytest.mark.parametrize(
    "gps",
    [{}, {1: "N", 2: (95.0, 0.0, 0.0), 3: "E", 4: (10.0, 0.0, 0.0)}, {1: "N", 2: (39.0, 0.0, 0.0)}],
    ids=["none", "beyond the pole", "half"],
)
def test_a_place_that_cannot_be_is_none(gps: dict[int, object]) -> None:
    kept = keep_photo(from_a_phone(gps=gps))
    assert (kept.longitude, kept.latitude) == (None, None)


def test_the_same_picture_is_kept_once_and_transparency_is_white() -> None:
    assert keep_photo(picture(kind="PNG")).digest == keep_photo(picture(kind="PNG")).digest
    out = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(out, "PNG")
    content = photo(keep_photo(out.getvalue()).digest)
    assert content is not None
    assert Image.open(BytesIO(content)).getpixel((4, 4)) == (255, 255, 255)


def bomb() -> bytes:
    """A PNG of a few kilobytes that would fill gigabytes."""
    out = BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


def gif() -> bytes:
    return picture(kind="GIF")


EVIL = {
    "empty": b"",
    "html": b"<html><script>alert(1)</script></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "cut off": picture()[:400],
    "zip": b"PK\x03\x04" + b"\0" * 200,
    "head of a jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 64,
}


@pytest.mark.parametrize("content", EVIL.values(), ids=EVIL)
def test_what_is_no_picture_is_a_sentence(content: bytes, home: Path) -> None:
    with pytest.raises(PhotoError, match="不是能打开的照片"):
        keep_photo(content)
    assert not (home / "photos").exists()


def test_a_bomb_a_gif_and_a_giant_are_refused() -> None:
    with pytest.raises(PhotoError, match="像素过多"):
        keep_photo(bomb())
    with pytest.raises(PhotoError, match="JPEG、PNG"):
        keep_photo(gif())
    with pytest.raises(PhotoError, match="MB"):
        keep_photo(b"\xff" * (MOST_BYTES + 1))


class File:
    def __init__(self, size: int) -> None:
        self.size = size

    def read(self) -> bytes:
        raise AssertionError("a file that is too large is not even read")


def test_a_form_brings_few_and_small_files() -> None:
    with pytest.raises(PhotoError, match="最多"):
        keep_photos([File(1)] * 7)
    with pytest.raises(PhotoError, match="MB"):
        keep_photos([File(MOST_BYTES + 1)])


@pytest.mark.parametrize("digest", ["", "../../secret_key", "0" * 64, "a" * 63, "/" * 64])
def test_only_what_was_kept_is_found(digest: str) -> None:
    assert photo(digest) is None
