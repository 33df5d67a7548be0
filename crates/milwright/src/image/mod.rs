//! Images in and out of models: PNG and JPEG files as the tensors that image inputs take, and image outputs as PNG files.
//!
//! An image feature is a tensor `[1, channels, height, width]` with values 0 to 255, its channels in the order that the model's
//! description says. Scale and bias of the conversion are ops of the program itself.

mod file;
mod pixels;

pub use pixels::Pixels;

use crate::codes;
use crate::model::Model;
use mil_base::{Diagnostic, Tensor};
use mil_codec::package::{Feature, FeatureKind, Flexibility, ImageFeature, Interface};

/// What to do with an image whose size the model does not take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sizing {
    /// Refuse it.
    #[default]
    Exact,
    /// Stretch it to the model's default size, with a triangle filter.
    Stretch,
}

impl Model {
    /// What the description says about an input or output that is an image.
    pub fn image(&self, name: &str) -> Option<ImageFeature> {
        let interface = self.interface()?;
        let is_it = |f: &Feature| f.name == name;
        let found =
            interface.inputs.iter().find(|f| is_it(f)).or(interface.outputs.iter().find(|f| is_it(f)))?;
        match &found.kind {
            FeatureKind::Image(image) => Some(image.clone()),
            _ => None,
        }
    }

    /// What the description says about the function that runs.
    pub fn interface(&self) -> Option<Interface> {
        let function = self.checked().program().functions.get(self.function())?;
        self.opened().interface(&function.name)
    }

    /// An image as the tensor that the input `name` takes.
    ///
    /// Errors: `image/not-an-image` for an input that is none; `image/size`.
    pub fn image_input(&self, name: &str, pixels: &Pixels, sizing: Sizing) -> Result<Tensor, Diagnostic> {
        let image = self.image(name).ok_or_else(|| not_an_image("input", name))?;
        let (width, height) = (pixels.width(), pixels.height());
        let fits = allows(&image, width, height);
        let resized = match (fits, sizing) {
            (true, _) => None,
            (false, Sizing::Stretch) => Some(pixels.stretched(image.width, image.height)?),
            (false, Sizing::Exact) => {
                let message = format!(
                    "the image for `{name}` is {width} x {height} pixels, but the model takes {}",
                    sizes(&image)
                );
                return Err(Diagnostic::error(codes::IMAGE_SIZE, message)
                    .help("give an image of that size, or let it be stretched (`--resize`)"));
            }
        };
        resized.as_ref().unwrap_or(pixels).tensor(image.colors)
    }

    /// The image that the output `name` holds; values are rounded, and held to 0 to 255.
    ///
    /// Errors: `image/not-an-image` for an output that is none, or a tensor of another form.
    pub fn image_output(&self, name: &str, tensor: &Tensor) -> Result<Pixels, Diagnostic> {
        let image = self.image(name).ok_or_else(|| not_an_image("output", name))?;
        Pixels::of(tensor, image.colors)
    }
}

fn not_an_image(what: &str, name: &str) -> Diagnostic {
    Diagnostic::error(codes::IMAGE_NOT_AN_IMAGE, format!("the {what} `{name}` is no image"))
        .help("which features are images is in the model's description; `milwright inspect` shows it")
}

/// May an image of this feature have this size?
fn allows(image: &ImageFeature, width: usize, height: usize) -> bool {
    let usual = (image.width, image.height) == (width, height);
    usual
        || match &image.flexibility {
            Flexibility::Fixed => false,
            Flexibility::Enumerated(sizes) => sizes.iter().any(|s| s.as_slice() == [height, width]),
            Flexibility::Ranges(ranges) => ranges
                .iter()
                .zip([height, width])
                .all(|(&(low, high), n)| n >= low && high.is_none_or(|high| n <= high)),
        }
}

/// The sizes an image feature takes, in words, width first.
fn sizes(image: &ImageFeature) -> String {
    let range = |&(low, high): &(usize, Option<usize>)| match high {
        Some(high) => format!("{low} to {high}"),
        None => format!("{low} or more"),
    };
    match &image.flexibility {
        Flexibility::Ranges(ranges) if ranges.len() == 2 => {
            format!("a width of {} and a height of {}", range(&ranges[1]), range(&ranges[0]))
        }
        Flexibility::Enumerated(all) => {
            let pair = |s: &Vec<usize>| match s.as_slice() {
                [height, width] => format!("{width} x {height}"),
                _ => "?".to_owned(),
            };
            all.iter().map(pair).collect::<Vec<_>>().join(" or ")
        }
        _ => format!("{} x {}", image.width, image.height),
    }
}
