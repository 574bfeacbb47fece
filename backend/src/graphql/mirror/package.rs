//! Practice packs as they are sent.

use async_graphql::InputObject;
use domain::Text;

use super::Statement;
use super::course::MOST_TITLE;
use super::sent::Sent;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::mirrored::price::Price;
use crate::models::reference::Referenced;

/// The most sessions of a pack.
pub const MOST_SESSIONS: i32 = 1_000_000;
/// The most characters of a word for a status or a type.
pub const MOST_WORD: usize = 50;

const NOT_A_PRICE: Text = Text::new(
    "No es un importe. Se acepta un decimal como texto, desde cero y con hasta dos decimales: \"49.90\".",
    "Not an amount. Accepted: a decimal as text, from zero up and with up to two decimals: \"49.90\".",
);
const NOT_A_CURRENCY: Text = Text::new(
    "No es una moneda. Se acepta un código de tres letras: EUR.",
    "Not a currency. Accepted: a code of three letters: EUR.",
);

/// A practice pack of the learning platform.
#[derive(InputObject)]
pub struct PracticePackageInput {
    /// Its id on the platform.
    id: Sent<Id>,
    /// The teacher who offers it.
    creator_id: Sent<Id>,
    /// The lesson that it is for.
    lesson_id: Option<Sent<Id>>,
    /// Its title, up to 500 characters.
    title: String,
    /// How many sessions one purchase holds, from 1 on.
    sessions_count: Sent<i32>,
    /// What it costs, as a decimal with up to two decimals: `"49.90"`.
    price_amount: String,
    /// The currency's ISO 4217 code: `"EUR"`.
    price_currency: String,
    /// Its status in the platform's words, up to 50 characters.
    status: String,
}

impl Statement for PracticePackageInput {
    type Row = MirroredPackage;

    fn read(self, fields: &mut Reader) -> Option<MirroredPackage> {
        let id = fields.id("id", self.id.number());
        let creator_id = fields.reference("creatorId", Referenced::User, self.creator_id.number());
        let lesson_id = fields.optional(self.lesson_id, |fields, sent| {
            fields.reference("lessonId", Referenced::Lesson, sent.number())
        });
        let title = fields.required_text("title", self.title, MOST_TITLE);
        let sessions_count = fields.number("sessionsCount", self.sessions_count.0, 1, MOST_SESSIONS);
        let price_amount =
            Price::parse(&self.price_amount).or_else(|| fields.invalid("priceAmount", NOT_A_PRICE));
        let currency = self.price_currency.to_ascii_uppercase();
        let price_currency = if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            Some(currency)
        } else {
            fields.invalid("priceCurrency", NOT_A_CURRENCY)
        };
        let status = fields.required_text("status", self.status, MOST_WORD);
        Some(MirroredPackage {
            id: id?,
            creator_id: creator_id?,
            lesson_id: lesson_id?,
            title: title?,
            sessions_count: sessions_count?,
            price_amount: price_amount?,
            price_currency: price_currency?,
            status: status?,
        })
    }
}
