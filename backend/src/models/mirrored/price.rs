//! Exact amounts of money.

use std::fmt;

use diesel::data_types::PgNumeric;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Numeric;

/// A non-negative amount, in hundredths of the currency's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Numeric)]
pub struct Price(u64);

const HUNDREDTHS_PER_UNIT: u64 = 100;
/// The largest amount that fits in the column, in hundredths.
const MAX_HUNDREDTHS: u64 = 999_999_999_999;

impl Price {
    /// An amount in hundredths.
    pub const fn from_hundredths(hundredths: u64) -> Self {
        Self(hundredths)
    }

    /// The amount in hundredths.
    pub const fn hundredths(self) -> u64 {
        self.0
    }

    /// Converts PostgreSQL's digits in base 10,000. The first digit is multiplied by 10,000 to the power of
    /// `weight`. `None` if the amount is too large for the column.
    fn from_digits(weight: i16, digits: &[i16]) -> Option<Self> {
        let mut hundredths: u64 = 0;
        for (position, digit) in (0_i16..).zip(digits) {
            let digit = u64::try_from(*digit).ok()?;
            let power = weight.checked_sub(position)?;
            let amount = match u32::try_from(power) {
                Ok(power) => {
                    digit.checked_mul(HUNDREDTHS_PER_UNIT)?.checked_mul(10_000_u64.checked_pow(power)?)?
                }
                Err(_) if power == -1 => digit / 100,
                Err(_) => 0,
            };
            hundredths = hundredths.checked_add(amount)?;
        }
        (hundredths <= MAX_HUNDREDTHS).then_some(Self(hundredths))
    }

    /// Parses a decimal such as `49`, `49.9` or `49.90`. `None` for every other format.
    pub fn parse(text: &str) -> Option<Self> {
        let (units, hundredths) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(units) || !digits(hundredths) || hundredths.len() > 2 {
            return None;
        }
        let hundredths: u64 = format!("{hundredths:0<2}").parse().ok()?;
        let units: u64 = units.parse().ok()?;
        let amount = units.checked_mul(HUNDREDTHS_PER_UNIT)?.checked_add(hundredths)?;
        (amount <= MAX_HUNDREDTHS).then_some(Self(amount))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:02}", self.0 / HUNDREDTHS_PER_UNIT, self.0 % HUNDREDTHS_PER_UNIT)
    }
}

impl ToSql<Numeric, Pg> for Price {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // PostgreSQL uses digits in base 10,000, most significant first. The last digit here is the fraction.
        let units = self.0 / HUNDREDTHS_PER_UNIT;
        let digits = [
            units / 100_000_000,
            units / 10_000 % 10_000,
            units % 10_000,
            self.0 % HUNDREDTHS_PER_UNIT * 100,
        ]
        .into_iter()
        .map(i16::try_from)
        .collect::<Result<_, _>>()?;
        let numeric = PgNumeric::Positive { weight: 2, scale: 2, digits };
        ToSql::<Numeric, Pg>::to_sql(&numeric, &mut out.reborrow())
    }
}

impl FromSql<Numeric, Pg> for Price {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match PgNumeric::from_sql(value)? {
            PgNumeric::Positive { weight, digits, .. } => {
                Self::from_digits(weight, &digits).ok_or_else(|| "the amount is out of range".into())
            }
            PgNumeric::Negative { .. } | PgNumeric::NaN => Err("the amount is negative or NaN".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_digits_are_read_as_hundredths() {
        let read = |weight, digits: &[i16]| Price::from_digits(weight, digits).map(Price::hundredths);
        assert_eq!(read(0, &[]), Some(0));
        assert_eq!(read(0, &[49, 9000]), Some(4990));
        assert_eq!(read(-1, &[500]), Some(5));
        assert_eq!(read(1, &[12]), Some(12_000_000));
        assert_eq!(read(2, &[99, 9999, 9999, 9900]), Some(999_999_999_999));
        assert_eq!(read(3, &[1]), None);
    }

    #[test]
    fn only_plain_decimals_are_prices() {
        let read = |text| Price::parse(text).map(Price::hundredths);
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("49.9"), Some(4990));
        assert_eq!(read("49.05"), Some(4905));
        assert_eq!(read("9999999999.99"), Some(999_999_999_999));
        assert_eq!(Price::from_hundredths(4905).to_string(), "49.05");
        for other in
            ["", ".", "1.", ".5", "-1", "+1", "1,50", "1.234", "1e3", "10000000000", " 1", "NaN", "٣"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
