"""Files: what a photo says of itself stays, PNG is lossless, JPEG is as good as before."""

import functools
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from siman_synth.editing.errors import EditError
from siman_synth.editing.photo import Photo, check_output
from siman_synth.errors import CropError, OutputError

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)


def smooth() -> Image.Image:
    return Image.fromarray(PIXELS).resize((640, 480), Image.Resampling.BICUBIC)


@functools.cache  # it holds the second in which it was made
def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_png_is_lossless_and_keeps_profile_and_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model"
    Image.fromarray(PIXELS).save(tmp_path / "a.png", icc_profile=profile(), exif=exif, dpi=(300, 300))
    photo = Photo.open(tmp_path / "a.png")
    photo.write(photo.image, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as written:
        assert np.array_equal(np.asarray(written), PIXELS)
        assert written.info["icc_profile"] == profile()
        assert written.getexif()[0x0110] == "Model"
        assert written.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("quality", [40, 92])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpeg_has_the_tables_of_its_source(tmp_path: Path, quality: int, subsampling: int) -> None:
    smooth().save(tmp_path / "a.jpg", quality=quality, subsampling=subsampling, icc_profile=profile())
    photo = Photo.open(tmp_path / "a.jpg")
    photo.write(photo.image, tmp_path / "b.jpg")
    with Image.open(tmp_path / "a.jpg") as before, Image.open(tmp_path / "b.jpg") as after:
        assert before.quantization == after.quantization  # type: ignore[attr-defined]
        assert before.layer == after.layer  # type: ignore[attr-defined]
        assert after.info["icc_profile"] == profile()
        difference = np.abs(np.asarray(before).astype(int) - np.asarray(after).astype(int))
    assert difference.mean() < 1.5


def test_a_turned_photo_is_written_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    photo = Photo.open(tmp_path / "a.png")
    assert np.array_equal(photo.image, np.rot90(PIXELS, -1))
    photo.write(photo.image, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as written:
        assert np.array_equal(np.asarray(written), photo.image)
        assert written.getexif()[0x0112] == 1


def test_gray_stays_gray(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[..., 0]).save(tmp_path / "a.jpg", quality=80)
    photo = Photo.open(tmp_path / "a.jpg")
    photo.write(photo.image, tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as written:
        assert written.mode == "L"


def test_what_would_be_lost_is_refused(tmp_path: Path) -> None:
    clear = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 100, np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 256).save(tmp_path / "deep.png")
    frames = [Image.fromarray(PIXELS), Image.fromarray(PIXELS[::-1])]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    Image.fromarray(PIXELS).convert("CMYK").save(tmp_path / "four.jpg")
    for name, message in {
        "clear.png": "is transparent in places, which would be lost. Lay it over a colour first.",
        "deep.png": "is of mode I;16; edited pictures have 8 bits, gray or RGB. Convert it.",
        "two.gif": "holds 2 frames, of which one would be left. Give a single picture.",
        "four.jpg": "is of mode CMYK; edited pictures have 8 bits, gray or RGB. Convert it.",
    }.items():
        with pytest.raises(EditError) as caught:
            Photo.open(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name} {message}"


def test_opaque_pictures_with_an_alpha_channel_are_fine(tmp_path: Path) -> None:
    opaque = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)])
    Image.fromarray(opaque).save(tmp_path / "a.png")
    assert np.array_equal(Photo.open(tmp_path / "a.png").image, PIXELS)


def test_unreadable_photos(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    with pytest.raises(CropError, match="is not an image"):
        Photo.open(tmp_path / "text.jpg")
    with pytest.raises(CropError, match="Cannot read"):
        Photo.open(tmp_path / "none.jpg")
    buffer = io.BytesIO()
    smooth().save(buffer, "JPEG")
    (tmp_path / "half.jpg").write_bytes(buffer.getvalue()[:3000])
    with pytest.raises(CropError, match="truncated"):
        Photo.open(tmp_path / "half.jpg")


def test_outputs(tmp_path: Path) -> None:
    (tmp_path / "there.png").touch()
    for name, message in {
        "a.gif": f"Cannot write {tmp_path / 'a.gif'}: edited pictures end in .png, .jpg or .jpeg.",
        "there.png": f"{tmp_path / 'there.png'} exists already. Choose another output, or remove it.",
        "no/a.png": f"Cannot write {tmp_path / 'no/a.png'}: there is no folder {tmp_path / 'no'}. Make it first.",  # noqa: E501
    }.items():
        with pytest.raises(OutputError) as caught:
            check_output(tmp_path / name)
        assert str(caught.value) == message
