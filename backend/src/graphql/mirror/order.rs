//! Orders of practice packs as they are sent.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use domain::dataset::Dataset;
use domain::filter::FilterKey;
use serde_json::Value;

use super::Statement;
use super::package::MOST_SESSIONS;
use super::sent::Sent;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::practice_package_order::MirroredOrder;
use crate::models::reference::Referenced;

/// The most characters of a payment's reference.
const MOST_REFERENCE: usize = 200;

/// An order of a practice pack.
#[derive(InputObject)]
pub struct PracticePackageOrderInput {
    /// Its id on the platform.
    id: Sent<Id>,
    /// The pack that was ordered.
    practice_package_id: Sent<Id>,
    /// Who ordered it.
    user_id: Sent<Id>,
    /// `pending`, `paid`, `cancelled` or `completed`.
    status: String,
    /// How many sessions of it are left, from 0 on.
    sessions_remaining: Sent<i32>,
    /// When it was paid.
    paid_at: Option<Sent<DateTime<Utc>>>,
    /// What the payment is known by, up to 200 characters.
    payment_reference: Option<String>,
    /// Details in the platform's words, up to 64 KiB.
    meta: Option<Value>,
    /// When it was made.
    created_at: Sent<DateTime<Utc>>,
}

impl Statement for PracticePackageOrderInput {
    type Row = MirroredOrder;

    fn read(self, fields: &mut Reader) -> Option<MirroredOrder> {
        let id = fields.id("id", self.id.number());
        let practice_package_id =
            fields.reference("practicePackageId", Referenced::Package, self.practice_package_id.number());
        let user_id = fields.reference("userId", Referenced::User, self.user_id.number());
        let status = fields.choice("status", &self.status, Dataset::PracticePackageOrders, FilterKey::Status);
        let sessions_remaining =
            fields.number("sessionsRemaining", self.sessions_remaining.0, 0, MOST_SESSIONS);
        let paid_at = fields.optional(self.paid_at, |fields, sent| fields.timestamp("paidAt", sent.0));
        let payment_reference =
            fields.optional_text("paymentReference", self.payment_reference, MOST_REFERENCE);
        let meta = fields.optional(self.meta, |fields, sent| fields.json("meta", sent));
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
