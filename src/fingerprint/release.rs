//! The age of a kernel, from its release.

/// Returns the number of releases from Linux 4.0 to `release`, with a fraction for release
/// candidates. A release takes nine or ten weeks. `None` for other text, and for releases before
/// 2.6.
///
/// A stable update counts as its base release, because its number does not show when it was made.
pub(crate) fn age(release: &str) -> Option<f32> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    let major: u16 = parts.next()?.parse().ok()?;
    let minor: u16 = parts.next()?.parse().ok()?;
    // The minor number went from 4.20 to 5.0, from 5.19 to 6.0, from 6.19 to 7.0.
    let before = match major {
        2 => return Some(-40.0),
        3 => return Some(f32::from(minor) - 20.0),
        4..=99 => 20 * (major - 4) + u16::from(major > 4),
        _ => return None,
    };
    let whole = f32::from(before.checked_add(minor)?);
    let candidate = release.split_once("-rc").and_then(|(_, rest)| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..digits)?.parse::<u8>().ok()
    });
    // The first candidate follows the two weeks of the merge window.
    Some(candidate.map_or(whole, |n| whole - 1.0 + f32::from(n.min(8) + 1) / 9.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_age() {
        let in_order = [
            "3.10.0",
            "4.0.0",
            "4.19.0-rc2+",
            "4.20.0",
            "5.0.0",
            "5.15.0-rc2-x",
            "5.15.0",
            "6.0.0",
            "6.1.0-53-amd64",
        ];
        let ages: Vec<_> = in_order.iter().map(|release| age(release).expect(release)).collect();
        assert!(ages.is_sorted_by(|a, b| a < b), "{ages:?}");
        for release in ["", "next", "x.y", "1.2", "6"] {
            assert_eq!(age(release), None, "{release}");
        }
    }
}
