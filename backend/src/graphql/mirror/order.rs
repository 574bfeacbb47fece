//! Input for orders of practice packs.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use domain::dataset::{Dataset, FilterKey};
use serde_json::Value;

use super::RowInput;
use super::package::MAX_SESSIONS;
use crate::graphql::lenient::Lenient;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::practice_package_order::MirroredOrder;
use crate::models::reference::ReferencedTable;

const MAX_REFERENCE_CHARACTERS: usize = 200;

/// An order of a practice pack.
#[derive(InputObject)]
pub struct PracticePackageOrderInput {
    /// ID on the platform.
    id: Lenient<Id>,
    /// ID of the pack.
    practice_package_id: Lenient<Id>,
    /// ID of the user who ordered it.
    user_id: Lenient<Id>,
    /// `pending`, `paid`, `cancelled` or `completed`.
    status: String,
    /// Number of sessions that are left, at least 0.
    sessions_remaining: Lenient<i32>,
    /// When it was paid.
    paid_at: Option<Lenient<DateTime<Utc>>>,
    /// Reference of the payment, up to 200 characters.
    payment_reference: Option<String>,
    /// Additional data of the platform, up to 64 KiB of JSON.
    meta: Option<Value>,
    /// When it was ordered.
    created_at: Lenient<DateTime<Utc>>,
}

impl RowInput for PracticePackageOrderInput {
    type Row = MirroredOrder;

    fn read(self, fields: &mut Reader) -> Option<MirroredOrder> {
        let id = fields.id("id", self.id.number());
        let practice_package_id = fields.reference(
            "practicePackageId",
            ReferencedTable::Package,
            self.practice_package_id.number(),
        );
        let user_id = fields.reference("userId", ReferencedTable::User, self.user_id.number());
        let status = fields.choice("status", &self.status, Dataset::PracticePackageOrders, FilterKey::STATUS);
        let sessions_remaining =
            fields.number("sessionsRemaining", self.sessions_remaining.0, 0, MAX_SESSIONS);
        let paid_at = fields.optional(self.paid_at, |fields, value| fields.timestamp("paidAt", value.0));
        let payment_reference =
            fields.optional_text("paymentReference", self.payment_reference, MAX_REFERENCE_CHARACTERS);
        let meta = fields.optional(self.meta, |fields, value| fields.json("meta", value));
        let created_at = fields.timestamp("createdAt", self.created_at.0);
        Some(MirroredOrder {
            id: id?,
            practice_package_id: practice_package_id?,
            user_id: user_id?,
            status: status?.into(),
            sessions_remaining: sessions_remaining?,
            paid_at: paid_at?,
            payment_reference: payment_reference?,
            meta: meta?,
            created_at: created_at?,
        })
    }
}
