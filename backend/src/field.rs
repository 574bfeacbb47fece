//! The values of fields in requests whose inputs are validated one by one.

/// The value of a field in a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field<T> {
    /// The request has no value.
    #[default]
    Missing,
    /// The value is of the wrong type.
    Invalid,
    /// A value of the right type. It may still be out of range.
    Value(T),
}

impl<T> Field<T> {
    /// `None` if the field is missing, `Some(None)` if its value is of the wrong type.
    pub fn parsed(value: Option<Option<T>>) -> Self {
        match value {
            None => Self::Missing,
            Some(None) => Self::Invalid,
            Some(Some(value)) => Self::Value(value),
        }
    }

    /// The value, `None` if it is missing, or this error if it is of the wrong type.
    pub fn read<E>(self, invalid: E) -> Result<Option<T>, E> {
        match self {
            Self::Missing => Ok(None),
            Self::Invalid => Err(invalid),
            Self::Value(value) => Ok(Some(value)),
        }
    }
}
