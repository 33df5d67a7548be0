"""PIL images as the arrays that programs take, and back."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

_MODES = {"rgb": "RGB", "bgr": "RGB", "grayscale": "L", "grayscale_fp16": "F"}


def to_array(image: "Image", colors: str = "rgb") -> "np.ndarray[Any, np.dtype[Any]]":
    """The image as ``[1, channels, height, width]`` in the order of `colors`, values 0 to 255.

    An image of another mode is converted: colours to grey, grey to equal colours. The size stays as it is.
    """
    mode = _MODES[colors]
    if image.mode != mode:
        image = image.convert(mode)
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[np.newaxis]
    else:
        pixels = pixels.transpose(2, 0, 1)
        if colors == "bgr":
            pixels = pixels[::-1]
    return np.ascontiguousarray(pixels[np.newaxis], dtype=np.float32)


def from_array(array: "np.ndarray[Any, np.dtype[Any]]", colors: str = "rgb") -> "Image":
    """The image of an array ``[1, channels, height, width]``.

    Values are rounded to whole numbers and clamped to 0 to 255, but those of ``grayscale_fp16``, which stay as they are.
    """
    from PIL import Image

    height, width = array.shape[-2:]
    if colors == "grayscale_fp16":
        return Image.fromarray(array.reshape(height, width).astype(np.float32))
    pixels = np.clip(np.rint(array.astype(np.float32)), 0, 255).astype(np.uint8)
    if colors == "grayscale":
        return Image.fromarray(pixels.reshape(height, width))
    planes = pixels.reshape(3, height, width)
    if colors == "bgr":
        planes = planes[::-1]
    return Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0)))
