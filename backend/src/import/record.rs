//! A row of a file before its cells are parsed, whatever the format of the file.

/// The cells of a row.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The line on which it starts, from 1.
    pub line: i64,
    cells: &'a str,
    /// The end of each cell in `cells`.
    ends: &'a [usize],
}

/// Collects the cells of one row after another.
#[derive(Debug, Default)]
pub struct RecordBuffer {
    text: String,
    ends: Vec<usize>,
}

impl<'a> Record<'a> {
    /// A row from its concatenated cells and the end of each.
    pub const fn new(line: i64, cells: &'a str, ends: &'a [usize]) -> Self {
        Self { line, cells, ends }
    }

    /// The number of cells.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell with this index, if it exists.
    pub fn get(&self, index: usize) -> Option<&'a str> {
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? };
        self.cells.get(start..*self.ends.get(index)?)
    }

    /// The cells, in order.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let record = *self;
        (0..self.len()).map(move |index| record.get(index).unwrap_or_default())
    }

    /// All cells, one after another without anything between them.
    pub const fn text(&self) -> &'a str {
        self.cells
    }

    /// The end of each cell in [`Self::text`].
    pub const fn ends(&self) -> &'a [usize] {
        self.ends
    }
}

impl RecordBuffer {
    /// Removes all cells.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a cell.
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// Adds blank cells up to this number of cells.
    pub fn fill_to(&mut self, cells: usize) {
        if self.ends.len() < cells {
            self.ends.resize(cells, self.text.len());
        }
    }

    /// The number of cells.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells as a row on this line.
    pub fn record(&self, line: i64) -> Record<'_> {
        Record::new(line, &self.text, &self.ends)
    }
}
