//! PNG and JPEG files.

use super::Pixels;
use crate::codes;
use crate::disk;
use crate::failure::Failure;
use crate::save::replace_file;
use mil_base::Diagnostic;
use std::io::Cursor;
use std::path::Path;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// No image has more pixels; files of a few bytes can claim any size.
pub(super) const MOST_PIXELS: usize = 1 << 27;

/// How a PNG file begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// How a JPEG file begins.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

impl Pixels {
    /// Reads a PNG or JPEG file, whatever its name. Transparency is left out, 16 bits become 8, CMYK becomes RGB, of an animation
    /// the first picture is taken, and turns that a camera noted are not applied. A file that was cut off is refused.
    ///
    /// Errors: `file/not-found`, `file/unreadable`, `image/unreadable`.
    pub fn read(path: impl AsRef<Path>) -> Result<Pixels, Failure> {
        let path = path.as_ref();
        disk::read(path).and_then(|bytes| decode(&bytes)).map_err(|d| Failure::one(path, d))
    }

    /// Writes a PNG file, whole or not at all.
    ///
    /// Errors: `file/unwritable`.
    pub fn write_png(&self, path: impl AsRef<Path>) -> Result<(), Failure> {
        let path = path.as_ref();
        let write = |out: &mut dyn std::io::Write| {
            let size = |n: usize| u32::try_from(n).map_err(std::io::Error::other);
            let mut encoder = png::Encoder::new(out, size(self.width())?, size(self.height())?);
            encoder.set_color(if self.channels() == 1 {
                png::ColorType::Grayscale
            } else {
                png::ColorType::Rgb
            });
            encoder.set_depth(png::BitDepth::Eight);
            let mut writer = encoder.write_header()?;
            writer.write_image_data(self.data())?;
            Ok(writer.finish()?)
        };
        replace_file(path, write).map_err(|d| Failure::one(path, d))
    }
}

fn unreadable(what: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(codes::IMAGE_UNREADABLE, format!("the image {what}"))
        .help("images are PNG or JPEG files of up to 2^27 pixels")
}

fn decode(bytes: &[u8]) -> Result<Pixels, Diagnostic> {
    if bytes.starts_with(PNG) {
        return decode_png(bytes);
    }
    if bytes.starts_with(JPEG) {
        return decode_jpeg(bytes);
    }
    Err(unreadable("is neither PNG nor JPEG"))
}

fn decode_png(bytes: &[u8]) -> Result<Pixels, Diagnostic> {
    let broken = |e: png::DecodingError| unreadable(format!("cannot be decoded: {e}"));
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let size = reader.output_buffer_size().filter(|&n| n <= MOST_PIXELS * 4 && width * height <= MOST_PIXELS);
    let mut buffer = vec![0; size.ok_or_else(|| unreadable(format!("is {width} x {height}: too large")))?];
    let info = reader.next_frame(&mut buffer).map_err(broken)?;
    buffer.truncate(info.buffer_size());
    // How many values a pixel has, and how many of them are colours.
    let (values, colors) = match info.color_type {
        png::ColorType::Grayscale => (1, 1),
        png::ColorType::GrayscaleAlpha => (2, 1),
        png::ColorType::Rgb => (3, 3),
        png::ColorType::Rgba => (4, 3),
        png::ColorType::Indexed => return Err(unreadable("has a palette that was not expanded")),
    };
    let data = buffer.chunks_exact(values).flat_map(|pixel| &pixel[..colors]).copied().collect();
    Pixels::new(width, height, colors, data).ok_or_else(|| unreadable("has no pixels"))
}

fn decode_jpeg(bytes: &[u8]) -> Result<Pixels, Diagnostic> {
    let broken = |e: zune_jpeg::errors::DecodeErrors| {
        let words: Vec<String> = e.to_string().split_whitespace().map(str::to_owned).collect();
        unreadable(format!("cannot be decoded: {}", words.join(" ")))
    };
    // Without strictness what is missing or damaged comes out grey.
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    let (width, height) = decoder.dimensions().ok_or_else(|| unreadable("has no size"))?;
    if width.saturating_mul(height) > MOST_PIXELS {
        return Err(unreadable(format!("is {width} x {height}: too large")));
    }
    let data = decoder.decode().map_err(broken)?;
    Pixels::new(width, height, 3, data).ok_or_else(|| unreadable("has colours of an unknown kind"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_image_is_named() {
        for bytes in [&b""[..], b"GIF89a", PNG, JPEG, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\xff\xff\xff\xff"] {
            assert_eq!(decode(bytes).unwrap_err().code, "image/unreadable");
        }
    }
}
