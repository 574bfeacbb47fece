//! Keyboard handling of a combobox, after the ARIA Authoring Practices Guide. Knows nothing of the DOM.

/// The effect of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// Open the list.
    Open,
    /// Make this option the active one.
    To(usize),
    /// Select this option.
    Select(usize),
    /// Close the list and discard the typed text.
    Close,
}

/// The effect of a key. `None` leaves the key to the browser.
pub fn movement(key: &str, open: bool, active: Option<usize>, count: usize) -> Option<Movement> {
    match (key, open) {
        ("ArrowDown" | "ArrowUp", false) => Some(Movement::Open),
        ("ArrowDown", true) if count > 0 => Some(Movement::To(active.map_or(0, |index| (index + 1) % count))),
        ("ArrowUp", true) if count > 0 => {
            Some(Movement::To(active.map_or(count - 1, |index| (index + count - 1) % count)))
        }
        ("Enter", true) => active.map(Movement::Select),
        ("Escape", true) => Some(Movement::Close),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_keys_open_the_list_and_wrap_around() {
        assert_eq!(movement("ArrowDown", false, None, 3), Some(Movement::Open));
        assert_eq!(movement("ArrowDown", true, None, 3), Some(Movement::To(0)));
        assert_eq!(movement("ArrowDown", true, Some(2), 3), Some(Movement::To(0)));
        assert_eq!(movement("ArrowUp", true, Some(0), 3), Some(Movement::To(2)));
        assert_eq!(movement("ArrowDown", true, None, 0), None);
    }

    #[test]
    fn enter_selects_only_the_active_option() {
        assert_eq!(movement("Enter", true, Some(1), 3), Some(Movement::Select(1)));
        assert_eq!(movement("Enter", true, None, 3), None);
        assert_eq!(movement("Enter", false, Some(1), 3), None);
    }

    #[test]
    fn escape_closes_the_list_and_other_keys_are_left_alone() {
        assert_eq!(movement("Escape", true, Some(1), 3), Some(Movement::Close));
        assert_eq!(movement("a", true, Some(1), 3), None);
    }
}
