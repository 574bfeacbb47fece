//! An amount of money, exact.

use std::fmt;

use diesel::data_types::PgNumeric;
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Numeric;

/// An amount in hundredths of a currency's unit, from zero up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression)]
#[diesel(sql_type = Numeric)]
pub struct Price(u64);

/// Hundredths in a unit.
const SCALE: u64 = 100;
/// The largest amount that the column holds, in hundredths.
const MOST: u64 = 999_999_999_999;

impl Price {
    /// An amount in hundredths.
    pub const fn from_hundredths(hundredths: u64) -> Self {
        Self(hundredths)
    }

    /// The amount in hundredths.
    pub const fn hundredths(self) -> u64 {
        self.0
    }

    /// Reads a decimal such as `49`, `49.9` or `49.90`; nothing else passes.
    pub fn parse(text: &str) -> Option<Self> {
        let (units, hundredths) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(units) || !digits(hundredths) || hundredths.len() > 2 {
            return None;
        }
        let hundredths: u64 = format!("{hundredths:0<2}").parse().ok()?;
        let units: u64 = units.parse().ok()?;
        let amount = units.checked_mul(SCALE)?.checked_add(hundredths)?;
        (amount <= MOST).then_some(Self(amount))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:02}", self.0 / SCALE, self.0 % SCALE)
    }
}

impl ToSql<Numeric, Pg> for Price {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // PostgreSQL counts in base 10,000, the most significant digit first; here the last one is the fraction.
        let units = self.0 / SCALE;
        let digits = [units / 100_000_000, units / 10_000 % 10_000, units % 10_000, self.0 % SCALE * 100]
            .into_iter()
            .map(i16::try_from)
            .collect::<Result<_, _>>()?;
        let numeric = PgNumeric::Positive { weight: 2, scale: 2, digits };
        ToSql::<Numeric, Pg>::to_sql(&numeric, &mut out.reborrow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
