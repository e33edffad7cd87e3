"""The new word stands where the old one stood, looks like it, and nothing else changes."""

import cv2
import numpy as np
import pytest

from siman_synth.editing.editor import TextEditor
from siman_synth.editing.errors import EditError
from siman_synth.render.fonts import FontLibrary

# mypy: disable-error-code="no-untyped-def"


def edited(editor, draw_photo, corners_around, text, margin=14, drawn=None, **options):
    photo, box = draw_photo(**(drawn or {}))
    corners = corners_around(box, margin)
    return photo, box, corners, editor.edit(photo, corners, text, **options)


def inside(photo, corners):
    (x0, y0), _, (x1, y1), _ = corners
    mask = np.zeros(photo.shape[:2], bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_the_new_word_is_read_and_beyond_the_quadrilateral_nothing_changes(
    editor, draw_photo, corners_around
):
    photo, _, corners, result = edited(editor, draw_photo, corners_around, "SHUT")
    assert result.old == "OPEN"
    assert result.is_read
    assert result.font.id == "roboto/Roboto_900Black"
    assert result.likeness > 0.95
    outside = ~inside(photo, corners)
    assert np.array_equal(result.image[outside], photo[outside])
    assert not result.mask[outside].any()
    same = result.mask == 0
    assert np.array_equal(result.image[same], photo[same])
    assert result.image is not photo


def test_ground_that_bore_no_ink_keeps_its_pixels(editor, draw_photo, corners_around):
    photo, box, _, result = edited(editor, draw_photo, corners_around, "SHUT", margin=40, old="OPEN")
    x0, y0, x1, y1 = box
    assert np.array_equal(result.image[y1 + 12 : y1 + 40, x0:x1], photo[y1 + 12 : y1 + 40, x0:x1])
    assert np.array_equal(result.image[y0 - 40 : y0 - 12, x0:x1], photo[y0 - 40 : y0 - 12, x0:x1])


def test_colours_baseline_and_height_are_the_old_words(editor, draw_photo, corners_around):
    _, (_, y0, _, y1), _, result = edited(editor, draw_photo, corners_around, "HIT", old="OPEN")
    red = (result.image.astype(int)[..., 0] - result.image.astype(int)[..., 1]) > 80
    rows = np.flatnonzero(red.any(1))
    # Round letters, such as O, reach a little beyond straight ones.
    assert abs(rows[0] - y0) <= 3
    assert abs(rows[-1] + 1 - y1) <= 3
    assert np.abs(np.median(result.image[red], axis=0) - (190, 30, 40)).max() <= 6


def test_the_old_word_leaves_no_trace(editor, draw_photo, corners_around):
    photo, box, _, result = edited(editor, draw_photo, corners_around, "I", old="OPEN")
    x0, y0, _, y1 = box
    left = result.image[y0:y1, x0 : x0 + 40].astype(int)
    sign = np.median(photo[y1 + 5 : y1 + 13, x0 : x0 + 40].reshape(-1, 3).astype(int), axis=0)
    assert np.abs(left - sign).max() <= 16
    assert 1 <= left[..., 0].std() <= 5  # as grainy as the sign


def test_the_word_replaced_by_itself_is_nearly_the_photo(editor, draw_photo, corners_around):
    photo, _, corners, result = edited(editor, draw_photo, corners_around, "OPEN")
    (x0, y0), _, (x1, y1), _ = corners
    difference = (result.image[y0:y1, x0:x1].astype(float) - photo[y0:y1, x0:x1]) / 255
    assert 10 * np.log10(1 / (difference**2).mean()) > 24


def test_large_letters_stay_sharp(editor, draw_photo, corners_around):
    _, box, _, result = edited(
        editor, draw_photo, corners_around, "HIT", margin=40, drawn={"scale": 5}, old="OPEN"
    )
    assert box[3] - box[1] > 200
    red = result.image[(box[1] + box[3]) // 2, :, 1].astype(int)
    steps = np.abs(np.diff(red))
    assert steps.max() > 60  # from ground to ink, 175 levels, in a few pixels


def test_a_turned_word_is_replaced_along_its_line(editor, draw_photo):
    photo, _ = draw_photo(rotated=12)
    angle = np.radians(-12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flat = np.array([(100, 70), (300, 70), (300, 140), (100, 140)]) - (230, 110)
    result = editor.edit(photo, flat @ turn.T + (230, 110), "SHUT", old="OPEN")
    assert result.is_read
    red = (result.image.astype(int)[..., 0] - result.image.astype(int)[..., 1]) > 80
    columns = np.flatnonzero(red.any(0))
    middles = [np.flatnonzero(red[:, column]).mean() for column in columns]
    assert np.degrees(np.arctan(np.polyfit(columns, middles, 1)[0])) == pytest.approx(-12, abs=3)


def test_longer_words_are_condensed_and_what_does_not_fit_is_an_error(editor, draw_photo, corners_around):
    result = edited(editor, draw_photo, corners_around, "CLOSED", old="OPEN")[-1]
    assert 0.5 < result.condensed < 1
    keeping = edited(editor, draw_photo, corners_around, "SOS", old="OPEN", width="keep")[-1]
    assert 1.2 < keeping.condensed < 2
    with pytest.raises(EditError) as caught:
        edited(editor, draw_photo, corners_around, "Extraordinarily", old="OPEN")
    assert str(caught.value).startswith(
        "'Extraordinarily' does not fit in the place of the old word: its letters would have "
    )
    assert str(caught.value).endswith(
        "of their natural width, and below 50% they cannot be read. Give a larger quadrilateral or another "
        "word."
    )


def test_natural_words_keep_their_width_where_there_is_room(editor, draw_photo, corners_around):
    result = edited(editor, draw_photo, corners_around, "OPENED", margin=70, old="OPEN")[-1]
    assert result.condensed == 1


def test_without_ocr_and_old_word_the_place_is_found_by_its_ink(
    editing_fonts, tiny_weights, draw_photo, corners_around
):
    blind = TextEditor.load(tiny_weights, editing_fonts, "cpu", ocr=None)
    _, (_, y0, _, y1), _, result = edited(blind, draw_photo, corners_around, "HIT")
    assert result.old is None
    assert result.reading is None
    assert result.is_read is None
    assert result.score is None
    red = (result.image.astype(int)[..., 0] - result.image.astype(int)[..., 1]) > 80
    rows = np.flatnonzero(red.any(1))
    assert abs(rows[0] - y0) <= 4
    assert abs(rows[-1] + 1 - y1) <= 4


def test_equal_input_gives_equal_output(editor, draw_photo, corners_around):
    first, second = (edited(editor, draw_photo, corners_around, "SHUT")[-1] for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.mask, second.mask)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is nothing to write in ''. Give a visible character."),
        (" \u200b ", "There is nothing to write in ' \\u200b '. Give a visible character."),
    ],
)
def test_texts_without_ink(editor, draw_photo, corners_around, text, message):
    with pytest.raises(EditError) as caught:
        edited(editor, draw_photo, corners_around, text)
    assert str(caught.value) == message


def test_characters_that_no_font_draws(editor, draw_photo, corners_around):
    with pytest.raises(EditError) as caught:
        edited(editor, draw_photo, corners_around, "字")
    assert "can draw '字' (U+5B57) in '字'" in str(caught.value)


def test_what_is_no_picture(editor):
    for wrong in (np.zeros((20, 20), np.uint8), np.zeros((20, 20, 3)), [[0]]):
        with pytest.raises(EditError, match=r"^An RGB picture is needed, uint8 \(H, W, 3\), found .*\.$"):
            editor.edit(wrong, None, "A")


def test_a_picture_without_anything_in_it_is_written_on_all_the_same(editor):
    blank = np.full((60, 160, 3), 180, np.uint8)
    result = editor.edit(blank, None, "Hi")
    assert result.old is None
    assert result.image.shape == blank.shape


def test_strokes_are_as_dark_and_heavy_as_those_of_a_thin_blurred_word(tiny_weights, draw_photo):
    """The only font at hand is heavier, and blurred strokes show their ink nowhere in full."""
    blind = TextEditor.load(tiny_weights, FontLibrary.open("roboto"), "cpu", ocr=None)
    photo, (x0, y0, x1, y1) = draw_photo(
        "LIFT", "titillium-web/TitilliumWeb_400Regular.ttf", 44, (20, 20, 30)
    )
    photo = cv2.GaussianBlur(photo, (0, 0), 1.5)
    corners = [(x0 - 10, y0 - 10), (x1 + 10, y0 - 10), (x1 + 10, y1 + 10), (x0 - 10, y1 + 10)]
    result = blind.edit(photo, corners, "LIFT", old="LIFT", font="roboto/Roboto_400Regular")
    sign = float(np.median(photo[y1 + 5 : y1 + 10, x0:x1, 1]))
    before, after = (sign - picture[y0:y1, x0:x1, 1].astype(float) for picture in (photo, result.image))
    assert np.quantile(after, 0.97) == pytest.approx(np.quantile(before, 0.97), rel=0.1)
    assert after.sum() == pytest.approx(before.sum(), rel=0.1)


def test_the_edge_of_a_sign_close_to_the_word_stays(editor, draw_photo, corners_around):
    photo, box = draw_photo("HOPE")
    photo = photo.copy()
    x = box[0] - 2
    photo[:, x - 6 : x] = (190, 30, 40)
    photo = cv2.GaussianBlur(photo, (0, 0), 1.2)
    result = editor.edit(photo, corners_around(box, 14), "SHUT", old="HOPE")
    assert result.is_read
    assert np.array_equal(result.image[:, x - 6 : x - 2], photo[:, x - 6 : x - 2])


def test_a_longer_word_keeps_its_distance_from_what_stands_beside_it(editor, draw_photo, corners_around):
    photo, box = draw_photo()
    photo = photo.copy()
    x = box[2] + 20
    photo[:, x : x + 30] = (40, 60, 160)
    (x0, y0), _, (_, y1), _ = corners_around(box, 24)
    corners = [(x0, y0), (x + 30, y0), (x + 30, y1), (x0, y1)]
    result = editor.edit(photo, corners, "OPENED", old="OPEN")
    assert result.is_read
    assert result.condensed >= 0.8
    columns = np.flatnonzero(result.word.any(0))
    assert columns[-1] <= x - 4
