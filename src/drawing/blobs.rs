//! Patches of ink in an image: which belong to the digit, and which are ruled lines, dust, stains or the table's edge.

use super::raster::{InkBox, Raster};

/// Patches smaller than this share of the largest are specks.
const SPECK: f32 = 0.03;
/// Patches nearer to the digit than this share of its longer side belong to it.
const NEAR: f32 = 0.3;
/// A line over the whole image that is thinner than this share of its longer side was there before the digit.
const RULE: f32 = 0.02;

/// Ink that hangs together.
struct Patch {
    /// Sum of its pixels' ink.
    size: f32,
    place: InkBox,
    /// Reaches the edge of the image.
    at_edge: bool,
}

/// Turns everything into paper that does not belong to the digit: ruled lines, specks, and patches away from the largest
/// one. In a photograph, where the edge of the sheet or the table may be seen, what reaches the image's edge is none
/// either, if there is another.
pub(super) fn keep_main_group(raster: &mut Raster, is_photograph: bool) {
    drop_rules(raster);
    let (patches, patch_of) = patches(raster);
    let largest = |among: &dyn Fn(&Patch) -> bool| {
        let candidates = (0..patches.len()).filter(|&index| among(&patches[index]));
        candidates.max_by(|&a, &b| patches[a].size.total_cmp(&patches[b].size))
    };
    let inner = largest(&|patch| !patch.at_edge).filter(|_| is_photograph);
    let Some(main) = inner.or_else(|| largest(&|_| true)) else { return };
    let least = SPECK * patches[main].size;
    let may_belong = |patch: &Patch| patch.size >= least && !(patch.at_edge && inner.is_some());
    let mut belongs = vec![false; patches.len()];
    belongs[main] = true;
    let mut group = patches[main].place;
    let mut grew = true;
    while grew {
        grew = false;
        for (index, patch) in patches.iter().enumerate() {
            if !belongs[index] && may_belong(patch) && gap(&group, &patch.place) <= NEAR * group.longer() {
                belongs[index] = true;
                group.join(patch.place);
                grew = true;
            }
        }
    }
    for (ink, patch) in raster.ink.iter_mut().zip(patch_of) {
        if patch.is_some_and(|patch| !belongs[patch]) {
            *ink = 0.0;
        }
    }
}

/// Pixels between two boxes, along the axis on which they are further apart.
fn gap(a: &InkBox, b: &InkBox) -> f32 {
    let across = (b.left - a.right).max(a.left - b.right);
    let along = (b.top - a.bottom).max(a.top - b.bottom);
    across.max(along).max(0.0)
}

/// All patches, joined also over corners, and the patch of every pixel with ink.
fn patches(raster: &Raster) -> (Vec<Patch>, Vec<Option<usize>>) {
    let (width, height) = (raster.width, raster.height);
    let mut patch_of: Vec<Option<usize>> = vec![None; raster.ink.len()];
    let mut patches: Vec<Patch> = Vec::new();
    let mut pending = Vec::new();
    for start in 0..raster.ink.len() {
        if raster.ink[start] <= 0.0 || patch_of[start].is_some() {
            continue;
        }
        let mut size = 0.0;
        let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
        patch_of[start] = Some(patches.len());
        pending.push(start);
        while let Some(index) = pending.pop() {
            size += raster.ink[index];
            let (row, column) = (index / width, index % width);
            (left, top) = (left.min(column), top.min(row));
            (right, bottom) = (right.max(column + 1), bottom.max(row + 1));
            for y in row.saturating_sub(1)..(row + 2).min(height) {
                for x in column.saturating_sub(1)..(column + 2).min(width) {
                    let near = y * width + x;
                    if raster.ink[near] > 0.0 && patch_of[near].is_none() {
                        patch_of[near] = Some(patches.len());
                        pending.push(near);
                    }
                }
            }
        }
        let place = InkBox { left: left as f32, top: top as f32, right: right as f32, bottom: bottom as f32 };
        patches.push(Patch { size, place, at_edge: left == 0 || top == 0 || right == width || bottom == height });
    }
    (patches, patch_of)
}

/// Turns thin lines from one edge of the image to the other into paper, but for the ink that crosses them.
fn drop_rules(raster: &mut Raster) {
    let (width, height) = (raster.width, raster.height);
    let thinnest = ((RULE * width.max(height) as f32).round() as usize).max(1);
    // lines along rows, then along columns: `across` counts the lines, `along` runs in each
    for (across, along, step_across, step_along) in [(height, width, width, 1), (width, height, 1, width)] {
        let at = |line: usize, place: usize| line * step_across + place * step_along;
        let inked = |ink: &[f32], line: usize| (0..along).filter(|&place| ink[at(line, place)] > 0.0).count();
        let is_rule: Vec<bool> = (0..across).map(|line| 20 * inked(&raster.ink, line) >= 19 * along).collect();
        let mut first = 0;
        while first < across {
            if !is_rule[first] {
                first += 1;
                continue;
            }
            let end = (first..across).find(|&line| !is_rule[line]).unwrap_or(across);
            // its soft edges on both sides go with it
            let (low, high) = (first.saturating_sub(1), (end + 1).min(across));
            if end - first <= thinnest && low > 0 && high < across {
                let reach = high - low;
                let before = raster.ink.clone();
                let goes_on = |line: usize, place: usize| {
                    (place.saturating_sub(reach)..(place + reach + 1).min(along)).any(|x| before[at(line, x)] > 0.5)
                };
                for place in 0..along {
                    if !(goes_on(low - 1, place) && goes_on(high, place)) {
                        (low..high).for_each(|line| raster.ink[at(line, place)] = 0.0);
                    }
                }
            }
            first = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture in characters: '#' is ink.
    fn raster(rows: &[&str]) -> Raster {
        let ink = rows.iter().flat_map(|row| row.bytes().map(|byte| f32::from(u8::from(byte == b'#')))).collect();
        Raster { width: rows[0].len(), height: rows.len(), ink }
    }

    fn shown(raster: &Raster) -> Vec<String> {
        let row = |row: &[f32]| row.iter().map(|&ink| if ink > 0.0 { '#' } else { '.' }).collect();
        raster.ink.chunks_exact(raster.width).map(row).collect()
    }

    #[test]
    fn what_is_near_stays_and_what_is_far_goes() {
        let mut five = raster(&[
            "....................",
            "...###..............",
            "....................",
            "...#................",
            "...#..............##",
            "...####...........##",
            "......#.............",
            "...####.............",
            "....................",
        ]);
        keep_main_group(&mut five, false);
        let kept = shown(&five);
        assert_eq!(kept[1], "...###..............", "the bar of a five belongs to it");
        assert_eq!(kept[4], "...#................", "a blob far off does not");
    }

    #[test]
    fn the_edge_of_the_table_is_no_digit_in_a_photograph() {
        let rows = [
            "####################",
            "#...................",
            "#........##.........",
            "#........##.........",
            "#...................",
        ];
        let mut photograph = raster(&rows);
        keep_main_group(&mut photograph, true);
        assert_eq!(shown(&photograph)[2], ".........##.........");
        assert_eq!(shown(&photograph)[0], "....................");
        // where there is nothing else the edge is what was meant
        let mut only = raster(&rows[..2]);
        keep_main_group(&mut only, true);
        assert_eq!(shown(&only), rows[..2]);
    }

    #[test]
    fn a_ruled_line_goes_and_the_stroke_that_crosses_it_stays() {
        let mut rows = vec!["....................".to_owned(); 20];
        for row in rows.iter_mut().take(16).skip(3) {
            row.replace_range(9..12, "###");
        }
        rows[10] = "####################".to_owned();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let mut page = raster(&rows);
        keep_main_group(&mut page, false);
        let kept = shown(&page);
        assert!(
            kept[10].starts_with("....") && kept[10].ends_with("....") && &kept[10][9..12] == "###",
            "{}",
            kept[10]
        );
        assert_eq!(&kept[5][9..12], "###");
    }
}
