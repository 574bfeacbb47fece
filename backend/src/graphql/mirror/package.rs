//! Input for practice packs.

use async_graphql::InputObject;
use domain::Text;

use super::RowInput;
use super::course::MAX_TITLE_CHARACTERS;
use crate::graphql::lenient::Lenient;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::mirrored::price::Price;
use crate::models::reference::ReferencedTable;

/// The maximum number of sessions in a pack.
pub const MAX_SESSIONS: i32 = 1_000_000;
/// The maximum length of a status or type.
pub const MAX_KEYWORD_CHARACTERS: usize = 50;

const INVALID_PRICE: Text = Text::new(
    "No es un importe. Se acepta un número como texto, de cero en adelante y con hasta dos decimales, como \"49.90\".",
    "Not an amount. Accepted: a number as text, zero or more, with up to two decimal places, such as \"49.90\".",
);
const INVALID_CURRENCY: Text = Text::new(
    "No es una moneda. Se acepta un código de tres letras, como EUR.",
    "Not a currency. Accepted: a three-letter code, such as EUR.",
);

/// A practice pack of the learning platform.
#[derive(InputObject)]
pub struct PracticePackageInput {
    /// ID on the platform.
    id: Lenient<Id>,
    /// ID of the teacher who offers it.
    creator_id: Lenient<Id>,
    /// ID of the lesson that it is for.
    lesson_id: Option<Lenient<Id>>,
    /// Title, up to 500 characters.
    title: String,
    /// Number of sessions in the pack, at least 1.
    sessions_count: Lenient<i32>,
    /// Price as text, with up to two decimal places: `"49.90"`.
    price_amount: String,
    /// ISO 4217 code of the currency: `"EUR"`.
    price_currency: String,
    /// Status on the platform, up to 50 characters.
    status: String,
}

impl RowInput for PracticePackageInput {
    type Row = MirroredPackage;

    fn read(self, fields: &mut Reader) -> Option<MirroredPackage> {
        let id = fields.id("id", self.id.number());
        let creator_id = fields.reference("creatorId", ReferencedTable::User, self.creator_id.number());
        let lesson_id = fields.optional(self.lesson_id, |fields, value| {
            fields.reference("lessonId", ReferencedTable::Lesson, value.number())
        });
        let title = fields.required_text("title", self.title, MAX_TITLE_CHARACTERS);
        let sessions_count = fields.number("sessionsCount", self.sessions_count.0, 1, MAX_SESSIONS);
        let price_amount =
            Price::parse(&self.price_amount).or_else(|| fields.invalid("priceAmount", INVALID_PRICE));
        let currency = self.price_currency.to_ascii_uppercase();
        let price_currency = if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            Some(currency)
        } else {
            fields.invalid("priceCurrency", INVALID_CURRENCY)
        };
        let status = fields.required_text("status", self.status, MAX_KEYWORD_CHARACTERS);
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
