"""Real camera files, which `scripts/install-test-tools` fetches."""

from __future__ import annotations

import os
from pathlib import Path

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_PHONE = "forensics-samples-files/usr/share/forensics-samples/original-files"
_MATE = "mate-backgrounds/usr/share/backgrounds/mate"
_LOMIRI = "lomiri-wallpapers-20.04/usr/share/backgrounds"

PHONE_12_MP = f"{_PHONE}/pic2/IMG_20191224_234846.jpg"  # Xiaomi Mi A3, with position
PHONE_12_MP_DENSE = f"{_PHONE}/pic2/IMG_20200608_111614.jpg"
PHONE_12_MP_TURNED = f"{_PHONE}/pic2/IMG_20200124_231153.jpg"  # orientation 3
COMPACT_1_MP = f"{_PHONE}/pic1/IMG_1054.JPG"  # Canon PowerShot SX530 HS
SONY_8_MP_PROGRESSIVE = f"{_MATE}/abstract/Elephants_3840x2160.jpg"
SONY_18_MP_PROGRESSIVE = f"{_MATE}/abstract/Elephants_5640x3172.jpg"
BIRD_20_MP = f"{_LOMIRI}/Kleiber_by_Lukas_Baubkus.jpg"
PAINTING_24_MP = f"{_LOMIRI}/Painting-Colors_by__herobrine7gamer.jpg"  # with a profile
EMPTY = f"{_PHONE}/pic1/empty.jpg"
VIDEO_MP4 = f"{_PHONE}/movie2/movie-hello.mp4"
VIDEO_AVI = f"{_PHONE}/movie2/movie-hello.avi"
VIDEO_MPEG = f"{_PHONE}/movie2/movie-hello.mpeg"
VIDEO_OGG = f"{_PHONE}/movie2/movie-hello.ogg"
AUDIO_MP3 = f"{_PHONE}/audio1/debian.mp3"
AUDIO_OGG = f"{_PHONE}/audio1/debian.ogg"
AUDIO_WAV = f"{_PHONE}/audio1/debian.wav"
TEXT_PDF = f"{_PHONE}/text1/a-text.pdf"
TEXT_DOCX = f"{_PHONE}/text1/a-text.docx"


def sample(name: str) -> Path:
    """The path of one of the names above. Fails where it was not fetched."""
    path = _CACHE / "mediaplatform" / "samples" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run scripts/install-test-tools")
    return path
