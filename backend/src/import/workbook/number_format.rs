//! Number formats of cells (ECMA-376 part 1, §18.8.30 and §18.8.31): which ones show a date.

/// Whether the format with this number, which is not defined in the file, shows a date or a time.
pub const fn is_built_in_date(id: u32) -> bool {
    matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

/// Whether a format shows a date or a time: it has a letter for one outside quotes and brackets.
pub fn is_date_format(code: &str) -> bool {
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            // The first section is the format of positive numbers.
            ';' => return false,
            '"' => while characters.next().is_some_and(|quoted| quoted != '"') {},
            // The next character is shown as it is, or tells a width.
            '\\' | '_' | '*' => drop(characters.next()),
            '[' => {
                let inside: String = characters.by_ref().take_while(|inside| *inside != ']').collect();
                // Hours, minutes or seconds that are not limited to a day.
                if !inside.is_empty()
                    && inside.to_ascii_lowercase().bytes().all(|byte| matches!(byte, b'h' | b'm' | b's'))
                {
                    return true;
                }
            }
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_from_numbers() {
        for code in ["yyyy-mm-dd", "d/m/yy h:mm", "[$-40A]dd\" de \"mmmm", "[h]:mm", "mm:ss.0", "[Red]yyyy"] {
            assert!(is_date_format(code), "{code}");
        }
        for code in [
            "General",
            "0",
            "0.00E+00",
            "#,##0\" días\"",
            "[Red]0",
            "0_d",
            "\\h0",
            "0;yyyy",
            "@",
            "[$€-C0A] 0",
        ] {
            assert!(!is_date_format(code), "{code}");
        }
        assert!(
            is_built_in_date(14) && is_built_in_date(22) && !is_built_in_date(0) && !is_built_in_date(49)
        );
    }
}
