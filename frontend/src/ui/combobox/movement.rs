//! What a key does in a combobox, as the ARIA Authoring Practices have it. Knows nothing of the DOM.

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// Open the list.
    Open,
    /// Go to this option.
    To(usize),
    /// Choose this option.
    Choose(usize),
    /// Close the list and forget what was typed.
    Close,
}

/// What a key does; `None` leaves it to the browser.
pub fn movement(key: &str, open: bool, active: Option<usize>, count: usize) -> Option<Movement> {
    match (key, open) {
        ("ArrowDown" | "ArrowUp", false) => Some(Movement::Open),
        ("ArrowDown", true) if count > 0 => Some(Movement::To(active.map_or(0, |at| (at + 1) % count))),
        ("ArrowUp", true) if count > 0 => {
            Some(Movement::To(active.map_or(count - 1, |at| (at + count - 1) % count)))
        }
        ("Enter", true) => active.map(Movement::Choose),
        ("Escape", true) => Some(Movement::Close),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_open_the_list_and_go_round_in_it() {
        assert_eq!(movement("ArrowDown", false, None, 3), Some(Movement::Open));
        assert_eq!(movement("ArrowDown", true, None, 3), Some(Movement::To(0)));
        assert_eq!(movement("ArrowDown", true, Some(2), 3), Some(Movement::To(0)));
        assert_eq!(movement("ArrowUp", true, Some(0), 3), Some(Movement::To(2)));
        assert_eq!(movement("ArrowDown", true, None, 0), None);
    }

    #[test]
    fn enter_chooses_only_what_the_arrows_reached() {
        assert_eq!(movement("Enter", true, Some(1), 3), Some(Movement::Choose(1)));
        assert_eq!(movement("Enter", true, None, 3), None);
        assert_eq!(movement("Enter", false, Some(1), 3), None);
    }

    #[test]
    fn escape_closes_and_other_keys_type() {
        assert_eq!(movement("Escape", true, Some(1), 3), Some(Movement::Close));
        assert_eq!(movement("a", true, Some(1), 3), None);
    }
}
