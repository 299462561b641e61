"""Layers: where a picture has other traces of saving than elsewhere, as a picture."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.unmask.evidence.test_jpeg import photograph, saved
from unmask.evidence.layers.drawing import MAX_SIDE, draw_layer, measure_layer
from unmask.findings import Layer
from unmask.images import open_picture
from unmask.settings import Settings

#: The place of an edit in a picture of 512 x 341 pixels: left, top, right, bottom.
EDIT = (304, 96, 432, 224)


def layer_of(data: bytes, layer: Layer) -> Image.Image:
    return Image.open(BytesIO(draw_layer(open_picture(data, Settings()), layer)))


def edited(layer: Layer) -> Image.Image:
    """A photograph of which one part has other traces than the rest: those the layer looks for."""
    if layer is Layer.NOISE:
        smooth = photograph().crop(EDIT).resize((32, 32)).resize((128, 128))
        image = Image.open(BytesIO(saved(photograph(), 98)))
        image.paste(smooth, EDIT[:2])
        return image
    image = Image.open(BytesIO(saved(photograph(), 60)))
    image.paste(photograph().crop(EDIT), EDIT[:2])
    return image


def contrast(shown: Image.Image, place: tuple[int, int, int, int] = EDIT) -> float:
    """The mean brightness inside the place over that outside."""
    pixels = np.asarray(shown, np.float64)
    inside = np.zeros(pixels.shape, bool)
    left, top, right, bottom = place
    inside[top:bottom, left:right] = True
    return float(pixels[inside].mean() / max(pixels[~inside].mean(), 1.0))


@pytest.mark.parametrize("layer", Layer)
def test_an_edit_stands_out(layer: Layer) -> None:
    shown = layer_of(saved(edited(layer), 92), layer)
    assert (shown.mode, shown.size, shown.format) == ("L", (512, 341), "PNG")
    before = layer_of(saved(photograph(), 92), layer)
    assert contrast(shown) > 1.3 * contrast(before)
    assert contrast(shown) > 1.3


def test_a_pasted_part_of_another_quality_is_a_ghost() -> None:
    image = Image.open(BytesIO(saved(photograph(), 85)))
    image.paste(Image.open(BytesIO(saved(photograph(), 55))).crop(EDIT), EDIT[:2])
    assert contrast(layer_of(saved(image, 95), Layer.GHOSTS)) > 2


@pytest.mark.parametrize("layer", [Layer.ERROR_LEVELS, Layer.GHOSTS])
def test_a_turned_jpeg_is_examined_as_it_lies_in_the_file_and_drawn_upright(layer: Layer) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its left side
    image = edited(layer)
    upright, turned = (
        layer_of(saved(image, 95, **options), layer) for options in ({}, {"exif": exif})
    )
    assert turned.size == (341, 512)
    assert np.array_equal(np.asarray(turned.transpose(Image.Transpose.ROTATE_90)), upright)


@pytest.mark.parametrize("layer", Layer)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_other_formats_grey_and_flat_pictures_have_layers(layer: Layer, kind: str) -> None:
    for image in (photograph(200), photograph(200).convert("L"), Image.new("RGB", (33, 17))):
        out = BytesIO()
        image.save(out, kind)
        shown = layer_of(out.getvalue(), layer)
        assert shown.size == image.size
    assert np.asarray(shown).max() == 0  # the last one is all black: nothing differs


@pytest.mark.parametrize("layer", Layer)
def test_large_pictures_have_bounded_layers_and_tiny_ones_dark_ones(layer: Layer) -> None:
    wide = photograph().resize((2 * MAX_SIDE + 7, 401))
    assert layer_of(saved(wide, 80), layer).size == (MAX_SIDE, 200)
    tiny = layer_of(saved(photograph(64).resize((40, 16)), 80), layer)
    assert tiny.size == (40, 16)
    few = np.arange(35, dtype=np.uint8).reshape(5, 7)
    assert measure_layer(few, layer).shape == (5, 7)


@pytest.mark.parametrize("layer", Layer)
def test_what_is_measured_is_in_the_size_of_the_picture(layer: Layer) -> None:
    brightness = np.asarray(Image.open(BytesIO(saved(edited(layer), 92))).convert("L"))
    values = measure_layer(brightness, layer)
    assert values.shape == brightness.shape and values.dtype == np.float32
    left, top, right, bottom = EDIT
    inside = values[top:bottom, left:right]
    assert inside.mean() > 1.4 * values.mean() and values.min() >= 0


@pytest.mark.parametrize("layer", Layer)
def test_a_file_that_stops_short_has_the_layer_of_what_is_there(layer: Layer) -> None:
    data = saved(photograph(), 90)
    assert layer_of(data[:-2], layer).size == (512, 341)
