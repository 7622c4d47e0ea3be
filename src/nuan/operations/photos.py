"""Pictures from phones: looked at, turned upright, made smaller and written anew, so that nothing of the file that was sent remains.

What the camera wrote into it is lost except the time and the place, which are noted beside the picture. Kept by content under
`NUAN_HOME/photos/`; only a page that knows who asks hands one out.
"""

import hashlib
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from nuan.terms.places import CHINA

MOST_BYTES = 15 * 2**20
MOST_PIXELS = 60_000_000
MOST_PHOTOS = 6
LONGEST_SIDE = 1600
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")
TOO_MANY = "照片像素过多,请用手机普通模式拍 / the photo has too many pixels"


class PhotoError(ValueError):
    """Why a picture is not taken, as a sentence in both languages."""


class Upload(Protocol):
    """A file as a form brings it."""

    size: int | None

    def read(self) -> bytes: ...


@dataclass(frozen=True)
class Kept:
    digest: str
    width: int
    height: int
    size: int
    taken_at: datetime | None
    longitude: float | None
    latitude: float | None


def _path(digest: str) -> Path:
    return Path(settings.NUAN_HOME) / "photos" / digest[:2] / f"{digest}.jpg"


def keep_photos(uploads: Sequence[Upload]) -> list[Kept]:
    """Every picture of a form, or PhotoError for the first that is none."""
    if len(uploads) > MOST_PHOTOS:
        raise PhotoError(f"一次最多 {MOST_PHOTOS} 张照片 / at most {MOST_PHOTOS} photos at once")
    kept = []
    for upload in uploads:
        if (upload.size or 0) > MOST_BYTES:
            raise PhotoError(
                f"照片超过 {MOST_BYTES // 2**20} MB,请缩小后再传 / the photo is larger than {MOST_BYTES // 2**20} MB"
            )
        kept.append(keep_photo(upload.read()))
    return kept


def keep_photo(content: bytes) -> Kept:
    """Raises PhotoError for what is too large, no picture, or a picture that would fill the memory."""
    if len(content) > MOST_BYTES:
        raise PhotoError(f"照片超过 {MOST_BYTES // 2**20} MB / the photo is larger than {MOST_BYTES // 2**20} MB")
    try:
        with warnings.catch_warnings():
            # Pillow warns of a picture with very many pixels; here that is a refusal of our own
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(content), formats=FORMATS)
            if opened.width * opened.height > MOST_PIXELS:
                raise PhotoError(TOO_MANY)
            exif = opened.getexif()
            taken_at, place = _time_of(exif), _place_of(exif)
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            plain = Image.new("RGB", upright.size, "white")
            plain.paste(upright, mask=upright.getchannel("A") if upright.mode in {"RGBA", "LA"} else None)
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError(TOO_MANY) from None
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        KeyError,
    ):
        raise PhotoError(
            "不是能打开的照片;请传 JPEG、PNG 或 WebP / not a photo that can be opened (JPEG, PNG, WebP)"
        ) from None
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    made = out.getvalue()
    digest = hashlib.sha256(made).hexdigest()
    path = _path(digest)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{hashlib.sha256(content).hexdigest()[:12]}.part")
        part.write_bytes(made)
        part.replace(path)
    return Kept(digest, plain.width, plain.height, len(made), taken_at, *place)


def photo(digest: str) -> bytes | None:
    """The picture, or None where it is not there."""
    if len(digest) != 64 or not digest.isalnum():
        return None
    path = _path(digest)
    return path.read_bytes() if path.is_file() else None


def _time_of(exif: Any) -> datetime | None:
    """When the camera says it was; a clock without a zone is read as UTC+8."""
    try:
        own = exif.get_ifd(ExifTags.IFD.Exif)
        text = own.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        return datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=CHINA)
    except Exception:  # what a camera writes there is anybody's guess, and a photo is not refused for it
        return None


def _place_of(exif: Any) -> tuple[float | None, float | None]:
    """Longitude and latitude in degrees; both or none."""
    try:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        latitude = _degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
        longitude = _degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
        if abs(latitude) > 90 or abs(longitude) > 180:
            return None, None
        return longitude, latitude
    except Exception:  # as above
        return None, None


def _degrees(parts: Any, side: Any, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if value != value:
        raise ValueError(parts)
    return -value if str(side).strip("\0 ").upper() == negative else value
