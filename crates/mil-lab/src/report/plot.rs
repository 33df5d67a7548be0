//! Plots as SVG: a logarithmic height, places along the bottom, a line for each series with its spread.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SIZE: (u32, u32) = (1200, 560);
/// Where the plot ends and the list of series begins.
const LEGEND: u32 = 850;
/// Below each place, its name, written downwards.
const NAMES: u32 = 120;
/// Distinguishable for most people with colour-blindness.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(150, 110, 0),
];

/// The plot. Nothing if there is no value above zero, which a logarithm could show.
pub(super) fn svg(
    title: &str,
    axis: &str,
    places: &[String],
    series: &[(String, Vec<Option<[f64; 3]>>)],
) -> Option<String> {
    let mut values: Vec<f64> =
        series.iter().flat_map(|(_, line)| line.iter().flatten().flatten().copied()).collect();
    values.retain(|v| v.is_finite() && *v > 0.0);
    let low = values.iter().copied().reduce(f64::min)? / 1.5;
    let high = values.iter().copied().reduce(f64::max)? * 1.5;
    let mut text = String::new();
    draw(&mut text, title, axis, places, series, low..high).ok()?;
    Some(text)
}

fn draw(
    text: &mut String,
    title: &str,
    axis: &str,
    places: &[String],
    series: &[(String, Vec<Option<[f64; 3]>>)],
    heights: std::ops::Range<f64>,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right_side) = root.split_horizontally(LEGEND);
    for (index, (label, _)) in series.iter().enumerate() {
        let (colour, y) = (COLOURS[index % COLOURS.len()], 60 + 22 * index as i32);
        right_side.draw(&Circle::new((10, y), 4, colour.filled()))?;
        right_side.draw(&Text::new(label.clone(), (22, y - 6), ("sans-serif", 12)))?;
    }
    let floor = heights.start;
    let right = places.len().max(1) as f64 - 0.5;
    let mut chart = ChartBuilder::on(&left)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(NAMES)
        .y_label_area_size(70)
        .build_cartesian_2d(-0.5..right, heights.log_scale())?;
    chart
        .configure_mesh()
        .x_labels(0)
        .y_desc(axis)
        .y_label_formatter(&|v| crate::observation::number(*v))
        .light_line_style(WHITE)
        .draw()?;
    let downwards = ("sans-serif", 12).into_font().transform(FontTransform::Rotate90);
    let downwards = downwards.into_text_style(&left).pos(Pos::new(HPos::Left, VPos::Center));
    for (index, name) in places.iter().enumerate() {
        let (x, y) = chart.backend_coord(&(index as f64, floor));
        left.draw_text(name, &downwards, (x, y + 8))?;
    }
    for (index, (_, line)) in series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        // Series beside each other, so that equal values stay visible.
        let shift = (index as f64 - (series.len() as f64 - 1.0) / 2.0) * (0.5 / series.len().max(1) as f64);
        let points = line.iter().enumerate().filter_map(|(i, p)| p.map(|p| (i as f64 + shift, p)));
        let points: Vec<(f64, [f64; 3])> = points.map(|(x, p)| (x, p.map(|v| v.max(floor)))).collect();
        let spread = points.iter().map(|(x, [low, _, high])| {
            PathElement::new(vec![(*x, *low), (*x, *high)], colour.stroke_width(2))
        });
        chart.draw_series(spread)?;
        let middle = points.iter().map(|(x, [_, middle, _])| Circle::new((*x, *middle), 4, colour.filled()));
        chart.draw_series(middle)?;
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_series_and_places() {
        let places = ["64x32".to_owned(), "768x256".to_owned()];
        let series = [("ane, double".to_owned(), vec![Some([0.1, 0.2, 0.3]), None])];
        let svg = svg("t", "ms", &places, &series).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("ane, double") && svg.contains("768x256"), "{svg}");
        assert!(super::svg("t", "ms", &places, &[("zero".to_owned(), vec![Some([0.0; 3])])]).is_none());
    }
}
