//! Areas for weights: a squarified treemap.

/// A rectangle; units are those of whoever lays it out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rectangle {
    /// Its left edge.
    pub left: f64,
    /// Its upper edge.
    pub top: f64,
    /// Its width; not negative.
    pub width: f64,
    /// Its height; not negative.
    pub height: f64,
}

impl Rectangle {
    /// The same with so much taken away on each side, as far as there is.
    #[must_use]
    pub fn inset(self, margin: f64) -> Self {
        let (across, down) = (margin.min(self.width / 2.0), margin.min(self.height / 2.0));
        let (left, top) = (self.left + across, self.top + down);
        Self { left, top, width: self.width - 2.0 * across, height: self.height - 2.0 * down }
    }

    /// The same without a strip along the upper edge, as far as there is one.
    #[must_use]
    pub fn below(self, strip: f64) -> Self {
        let strip = strip.min(self.height);
        Self { top: self.top + strip, height: self.height - strip, ..self }
    }

    fn area(self) -> f64 {
        self.width * self.height
    }

    fn short_side(self) -> f64 {
        self.width.min(self.height)
    }
}

/// Divides a rectangle into one for each weight, as near to squares as can be.
///
/// The areas are proportional to the weights, do not overlap and fill the rectangle. The answer has the order of the
/// weights; they come largest first, or the rectangles become long. Where all weights are zero, so are all areas.
///
/// Source: Bruls, Huizing, van Wijk: Squarified Treemaps (2000).
#[must_use]
pub fn squarify(weights: &[u64], inside: Rectangle) -> Vec<Rectangle> {
    let total: f64 = weights.iter().map(|weight| *weight as f64).sum();
    let scale = if total > 0.0 { inside.area() / total } else { 0.0 };
    let areas: Vec<f64> = weights.iter().map(|weight| *weight as f64 * scale).collect();
    let mut placed = Vec::with_capacity(areas.len());
    let mut free = inside;
    while placed.len() < areas.len() {
        let rest = &areas[placed.len()..];
        let row = &rest[..row_length(rest, free.short_side())];
        free = place_row(row, free, &mut placed);
    }
    placed
}

/// How many of the areas stand in the next row along a side: as long as that makes the worst of them no longer.
fn row_length(areas: &[f64], side: f64) -> usize {
    let (mut sum, mut least, mut most) = (0.0, f64::INFINITY, 0.0_f64);
    let mut worst = f64::INFINITY;
    for (length, area) in areas.iter().enumerate() {
        sum += area;
        (least, most) = (least.min(*area), most.max(*area));
        let square = side * side;
        let ratio = (square * most / (sum * sum)).max(sum * sum / (square * least));
        if ratio > worst {
            return length;
        }
        worst = ratio;
    }
    areas.len()
}

/// Places a row along the short side; gives what remains free.
fn place_row(areas: &[f64], free: Rectangle, placed: &mut Vec<Rectangle>) -> Rectangle {
    let sum: f64 = areas.iter().sum();
    let side = free.short_side();
    let depth = if side > 0.0 { sum / side } else { 0.0 };
    let is_wide = free.width >= free.height;
    let mut at = if is_wide { free.top } else { free.left };
    for area in areas {
        let length = if depth > 0.0 { area / depth } else { 0.0 };
        placed.push(if is_wide {
            Rectangle { left: free.left, top: at, width: depth, height: length }
        } else {
            Rectangle { left: at, top: free.top, width: length, height: depth }
        });
        at += length;
    }
    if is_wide {
        Rectangle { left: free.left + depth, width: (free.width - depth).max(0.0), ..free }
    } else {
        Rectangle { top: free.top + depth, height: (free.height - depth).max(0.0), ..free }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SLACK: f64 = 1e-6;

    fn sorted(mut weights: Vec<u64>) -> Vec<u64> {
        weights.sort_unstable_by(|a, b| b.cmp(a));
        weights
    }

    fn overlap(a: Rectangle, b: Rectangle) -> f64 {
        let along = |a: f64, aw: f64, b: f64, bw: f64| (a + aw).min(b + bw) - a.max(b);
        let width = along(a.left, a.width, b.left, b.width).max(0.0);
        width * along(a.top, a.height, b.top, b.height).max(0.0)
    }

    proptest! {
        #[test]
        fn areas_are_proportional_do_not_overlap_and_lie_inside(
            weights in prop::collection::vec(1..1_000_000_u64, 1..60),
            width in 1.0..2000.0_f64,
            height in 1.0..2000.0_f64,
        ) {
            let weights = sorted(weights);
            let inside = Rectangle { left: 7.0, top: -3.0, width, height };
            let placed = squarify(&weights, inside);
            prop_assert_eq!(placed.len(), weights.len());
            let total: u64 = weights.iter().sum();
            let slack = SLACK * inside.area();
            for (rectangle, weight) in placed.iter().zip(&weights) {
                let expected = inside.area() * *weight as f64 / total as f64;
                prop_assert!((rectangle.area() - expected).abs() < slack);
                let outside = rectangle.area() - overlap(*rectangle, inside);
                prop_assert!(outside.abs() < slack);
            }
            for (at, a) in placed.iter().enumerate() {
                for b in &placed[at + 1..] {
                    prop_assert!(overlap(*a, *b) < slack);
                }
            }
        }

        #[test]
        fn any_weights_and_any_rectangle_give_finite_rectangles(
            weights in prop::collection::vec(any::<u64>(), 0..20),
            width in 0.0..100.0_f64,
            height in 0.0..100.0_f64,
        ) {
            let inside = Rectangle { left: 0.0, top: 0.0, width, height };
            for Rectangle { left, top, width, height } in squarify(&sorted(weights), inside) {
                prop_assert!([left, top, width, height].iter().all(|n| n.is_finite() && *n >= 0.0));
            }
        }
    }

    #[test]
    fn equal_weights_become_squares_where_they_can() {
        let inside = Rectangle { left: 0.0, top: 0.0, width: 40.0, height: 40.0 };
        for rectangle in squarify(&[1; 16], inside) {
            assert!((rectangle.width - 10.0).abs() < SLACK, "{rectangle:?}");
            assert!((rectangle.height - 10.0).abs() < SLACK, "{rectangle:?}");
        }
    }

    #[test]
    fn the_example_of_the_paper_comes_out_as_there() {
        let inside = Rectangle { left: 0.0, top: 0.0, width: 6.0, height: 4.0 };
        let placed = squarify(&[6, 6, 4, 3, 2, 2, 1], inside);
        let first = Rectangle { left: 0.0, top: 0.0, width: 3.0, height: 2.0 };
        assert_eq!(placed[..2], [first, Rectangle { top: 2.0, ..first }]);
        assert!((placed[2].width - 12.0 / 7.0).abs() < SLACK);
    }

    #[test]
    fn nothing_takes_no_room() {
        let inside = Rectangle { left: 0.0, top: 0.0, width: 6.0, height: 4.0 };
        assert_eq!(squarify(&[], inside), []);
        assert!(squarify(&[0, 0], inside).iter().all(|rectangle| rectangle.area() < SLACK));
    }
}
