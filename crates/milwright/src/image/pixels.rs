//! Pixels in memory, and the tensors that hold them.

use crate::codes;
use mil_base::{DType, Diagnostic, Tensor};
use mil_codec::package::Colors;
use resize::px::Gray;

/// An image of 8 bits a channel: grey, or red, green and blue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pixels {
    width: usize,
    height: usize,
    channels: usize,
    /// Rows of pixels, the channels of a pixel together.
    data: Vec<u8>,
}

impl Pixels {
    /// An image of rows of pixels of 1 channel (grey) or 3 (red, green, blue). Nothing if there are not as many values as
    /// that takes.
    pub fn new(width: usize, height: usize, channels: usize, data: Vec<u8>) -> Option<Pixels> {
        let count = width.checked_mul(height)?.checked_mul(channels)?;
        let sound = matches!(channels, 1 | 3) && count == data.len() && count > 0;
        sound.then_some(Pixels { width, height, channels, data })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// 1 (grey) or 3 (red, green, blue).
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows of pixels, the channels of a pixel together.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The fp32 tensor `[1, channels, height, width]` for these colours. A grey image becomes colours that are equal, and
    /// colours become grey by the weights of ITU-R BT.601.
    pub(super) fn tensor(&self, colors: Colors) -> Result<Tensor, Diagnostic> {
        let planes = match (colors, self.channels) {
            (Colors::Grayscale | Colors::GrayscaleFp16, 3) => vec![self.grey()],
            (Colors::Grayscale | Colors::GrayscaleFp16, _) => vec![self.plane(0)],
            (_, 1) => vec![self.plane(0); 3],
            (Colors::Bgr, _) => vec![self.plane(2), self.plane(1), self.plane(0)],
            (Colors::Rgb | Colors::Unknown, _) => vec![self.plane(0), self.plane(1), self.plane(2)],
        };
        let shape = [1, planes.len(), self.height, self.width];
        let values: Vec<f32> = planes.into_iter().flatten().map(f32::from).collect();
        Tensor::from_f32(&shape, &values)
            .map_err(|e| Diagnostic::error(codes::IMAGE_UNREADABLE, format!("the image {e}")))
    }

    /// The image in a tensor `[1, channels, height, width]` of these colours.
    pub(super) fn of(tensor: &Tensor, colors: Colors) -> Result<Pixels, Diagnostic> {
        let wrong = || {
            let message = format!("{} is not an image of {} channels", tensor.ty(), colors.channels());
            Diagnostic::error(codes::IMAGE_NOT_AN_IMAGE, message)
                .help("an image is a tensor [1, channels, height, width] of numbers")
        };
        let (channels, height, width) = match *tensor.shape() {
            [1, channels, height, width] | [channels, height, width] => (channels, height, width),
            _ => return Err(wrong()),
        };
        if channels != colors.channels() || tensor.dtype() == DType::String {
            return Err(wrong());
        }
        let values = tensor.to_f64();
        let size = height * width;
        let byte = |v: f64| v.round().clamp(0.0, 255.0) as u8;
        let mut data = Vec::with_capacity(values.len());
        for at in 0..size {
            for channel in 0..channels {
                let plane = if colors == Colors::Bgr { channels - 1 - channel } else { channel };
                data.push(byte(values[plane * size + at]));
            }
        }
        Pixels::new(width, height, channels, data).ok_or_else(wrong)
    }

    /// The image stretched to another size, with a triangle filter as wide as the pixels of the smaller image.
    ///
    /// Error: `image/size` if there is no such size.
    pub fn stretched(&self, width: usize, height: usize) -> Result<Pixels, Diagnostic> {
        let impossible = || {
            let message = format!("an image cannot be stretched to {width} x {height}");
            Diagnostic::error(codes::IMAGE_SIZE, message)
                .help("the model's description states no usable size")
        };
        let count = width.checked_mul(height).filter(|n| (1..=super::file::MOST_PIXELS).contains(n));
        let count = count.ok_or_else(impossible)?;
        let mut data = vec![0; count * self.channels];
        let mut resizer =
            resize::new(self.width, self.height, width, height, resize::Pixel::Gray8, resize::Type::Triangle)
                .map_err(|_| impossible())?;
        let mut to = vec![Gray::new(0); count];
        for channel in 0..self.channels {
            let from: Vec<Gray<u8>> = self.plane(channel).into_iter().map(Gray::new).collect();
            resizer.resize(&from, &mut to).map_err(|_| impossible())?;
            for (pixel, value) in data.chunks_exact_mut(self.channels).zip(&to) {
                pixel[channel] = value.value();
            }
        }
        Pixels::new(width, height, self.channels, data).ok_or_else(impossible)
    }

    fn plane(&self, channel: usize) -> Vec<u8> {
        self.data.iter().skip(channel).step_by(self.channels).copied().collect()
    }

    fn grey(&self) -> Vec<u8> {
        let weighted = |p: &[u8]| match *p {
            [r, g, b] => ((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114 + 500) / 1000) as u8,
            _ => 0,
        };
        self.data.chunks_exact(self.channels).map(weighted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pixels, red and a mix.
    fn image() -> Pixels {
        Pixels::new(2, 1, 3, vec![255, 0, 0, 10, 20, 30]).unwrap()
    }

    #[test]
    fn channels_come_in_the_order_asked_for() {
        let values = |colors| image().tensor(colors).unwrap().to_f64();
        assert_eq!(values(Colors::Rgb), [255.0, 10.0, 0.0, 20.0, 0.0, 30.0]);
        assert_eq!(values(Colors::Bgr), [0.0, 30.0, 0.0, 20.0, 255.0, 10.0]);
        // 0.299 * 255 = 76.2, and 2.99 + 11.74 + 3.42 = 18.2.
        assert_eq!(values(Colors::Grayscale), [76.0, 18.0]);
        let grey = Pixels::new(1, 2, 1, vec![7, 9]).unwrap();
        let tensor = grey.tensor(Colors::Bgr).unwrap();
        assert_eq!(
            (tensor.shape(), tensor.to_f64()),
            (&[1, 3, 2, 1][..], vec![7.0, 9.0, 7.0, 9.0, 7.0, 9.0])
        );
    }

    #[test]
    fn a_tensor_is_the_image_it_was_made_of() {
        for colors in [Colors::Rgb, Colors::Bgr] {
            assert_eq!(Pixels::of(&image().tensor(colors).unwrap(), colors).unwrap(), image());
        }
        let tensor = Tensor::from_f32(&[1, 1, 1, 4], &[-3.0, 0.6, 300.0, f32::NAN]).unwrap();
        assert_eq!(Pixels::of(&tensor, Colors::Grayscale).unwrap().data(), [0, 1, 255, 0]);
        assert_eq!(Pixels::of(&tensor, Colors::Rgb).unwrap_err().code, "image/not-an-image");
    }

    #[test]
    fn stretching_keeps_flat_colours_and_means() {
        let flat = Pixels::new(3, 2, 3, [9, 8, 7].repeat(6)).unwrap();
        assert_eq!(flat.stretched(5, 4).unwrap(), Pixels::new(5, 4, 3, [9, 8, 7].repeat(20)).unwrap());
        let two = Pixels::new(2, 1, 1, vec![0, 100]).unwrap();
        assert_eq!(two.stretched(1, 1).unwrap().data(), [50]);
        assert_eq!(flat.stretched(0, 4).unwrap_err().code, "image/size");
        assert_eq!(flat.stretched(usize::MAX, 2).unwrap_err().code, "image/size");
    }
}
