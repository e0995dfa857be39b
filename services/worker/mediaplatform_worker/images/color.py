"""Pixels of any colour space as sRGB, which is what a rendition without a profile means."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageCms

from mediaplatform.errors import Rejected

_SPACES = {"L": "GRAY", "LA": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


def to_srgb(image: Image.Image) -> Image.Image:
    """The image as RGB, or RGBA where something of it can be seen through; YCbCr is left as it is.

    A profile that is broken, or made for other channels than the image has, is left out, as
    browsers do. Raises Rejected for pixels that have no meaning as colours.
    """
    profile = image.info.get("icc_profile")
    if image.mode == "YCbCr" and not profile:
        return image
    image = _eight_bits(image)
    if profile:
        image = _converted(image, profile)
    if image.mode == "LA" or (image.mode == "L" and "transparency" in image.info):
        image = image.convert("RGBA")
    if image.mode == "RGB" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        return image if _is_translucent(image) else image.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """One of the modes L, LA, RGB, RGBA, CMYK."""
    if image.mode in _SPACES:
        return image
    if image.mode in {"P", "PA"}:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"YCbCr", "RGBX", "RGBa", "La"}:
        return image.convert({"RGBa": "RGBA", "La": "LA"}.get(image.mode, "RGB"))
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return _transformed(image, ImageCms.ImageCmsProfile(lab), "RGB")
    raise Rejected(
        "unsupported_pixels",
        f"Its pixels are of a kind ({image.mode}) that cannot be shown. Save it with 8 bits.",
    )


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[image.mode]:
            return image
        if "sRGB" in (source.profile.profile_description or ""):
            return image
        alpha = image.getchannel("A") if image.mode == "LA" else None
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = _transformed(image.convert("L") if alpha else image, source, mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    target = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, target, image.mode, mode, _INTENT)
    if image.mode == mode:
        ImageCms.applyTransform(image, transform, inPlace=True)
        return image
    return ImageCms.applyTransform(image, transform)  # type: ignore[return-value]


def _is_translucent(image: Image.Image) -> bool:
    return image.getchannel("A").getextrema() != (255, 255)
