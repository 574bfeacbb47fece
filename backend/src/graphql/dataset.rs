//! The seven datasets as connections.
//!
//! The fields of the datasets differ in their filter and their rows only. They are therefore registered and
//! resolved by one implementation, generic over the row type, instead of a resolver for each dataset.

mod filter;
mod series;

use std::any::type_name;
use std::borrow::Cow;
use std::sync::LazyLock;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{
    CacheControl, Deprecation, MetaField, MetaInputValue, MetaType, MetaTypeId, Registry,
};
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{
    Context, ContextSelectionSet, Error as GraphqlError, InputType, ObjectType, OutputType, Positioned,
    ServerResult, Value,
};
use domain::Dataset;
use domain::dataset::TeacherAdminAccess;
use domain::names::camel_case;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

pub use series::SeriesQuery;

use super::connection::Total;
use super::context::ContextExt as _;
use crate::auth::grant;
use crate::error::Result;
use crate::models::dataset::{self, DatasetVisitor};
use crate::source::{self, PageRequest, Source};

/// The seven datasets.
#[derive(Default)]
pub struct DatasetQuery;

/// The names of the fields.
static FIELDS: LazyLock<[(String, Dataset); Dataset::ALL.len()]> =
    LazyLock::new(|| Dataset::ALL.map(|dataset| (camel_case(dataset.key()), dataset)));

/// The arguments of a page: name, description and type.
const PAGE_ARGUMENTS: [(&str, &str, &str); 4] = [
    ("first", "Returns the first n rows, counted from `after` if given.", "Int"),
    ("after", "Only rows after this cursor.", "String"),
    ("last", "Returns the last n rows, counted from `before` if given.", "Int"),
    ("before", "Only rows before this cursor.", "String"),
];

type Rows<S> = Connection<String, S, Total, EmptyFields>;

impl OutputType for DatasetQuery {
    fn type_name() -> Cow<'static, str> {
        "DatasetQuery".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let mut fields = IndexMap::new();
            for (name, dataset) in &*FIELDS {
                let field = dataset::visit(*dataset, RegisterField { name, registry });
                fields.insert(name.clone(), field);
            }
            MetaType::Object {
                name: Self::type_name().into_owned(),
                description: Some("The seven datasets.".to_owned()),
                fields,
                cache_control: CacheControl::default(),
                extends: false,
                shareable: false,
                resolvable: true,
                inaccessible: false,
                interface_object: false,
                tags: Vec::new(),
                keys: None,
                visible: None,
                is_subscription: false,
                rust_typename: Some(type_name::<Self>()),
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ContainerType for DatasetQuery {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        match FIELDS.iter().find(|(known, _)| known == name) {
            Some((_, dataset)) => dataset::visit(*dataset, ResolveField { ctx }).await.map(Some),
            None => Ok(None),
        }
    }
}

impl ObjectType for DatasetQuery {}

/// Adds the field of a dataset, and the types that it needs, to the schema.
struct RegisterField<'a> {
    name: &'a str,
    registry: &'a mut Registry,
}

impl DatasetVisitor for RegisterField<'_> {
    type Output = MetaField;

    fn visit<S: Source>(self) -> MetaField {
        let Self { name, registry } = self;
        let filter = MetaInputValue {
            description: Some("Only rows that match this filter.".to_owned()),
            ..argument("filter", Option::<S::Filter>::create_type_info(registry))
        };
        let page = PAGE_ARGUMENTS.map(|(name, description, ty)| MetaInputValue {
            description: Some(description.to_owned()),
            ..argument(name, ty.to_owned())
        });
        MetaField {
            name: name.to_owned(),
            description: Some(description(S::DATASET)),
            args: [filter]
                .into_iter()
                .chain(page)
                .map(|argument| (argument.name.clone(), argument))
                .collect(),
            ty: Rows::<S>::create_type_info(registry),
            deprecation: Deprecation::default(),
            cache_control: CacheControl::default(),
            external: false,
            requires: None,
            provides: None,
            visible: None,
            shareable: false,
            inaccessible: false,
            tags: Vec::new(),
            override_from: None,
            compute_complexity: Some(|visitor, variables, field, row| {
                let first = visitor.param_value(variables, field, "first", None)?;
                let last = visitor.param_value(variables, field, "last", None)?;
                Ok(page_cost(first, last, row))
            }),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        }
    }
}

fn argument(name: &str, ty: String) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description: None,
        ty,
        deprecation: Deprecation::default(),
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

/// The description of a dataset's field.
fn description(dataset: Dataset) -> String {
    let known = dataset.describe();
    let teacher_admins = match known.teacher_admin {
        TeacherAdminAccess::OneOf(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", camel_case(key.key()))).collect();
            format!("Teacher Admins must filter by {}.", keys.join(" or "))
        }
        TeacherAdminAccess::Never => "Not available to Teacher Admins.".to_owned(),
    };
    format!(
        "{} Sorted by `{}`, latest first. {teacher_admins}\n\n\
         Pages have up to 500 rows, by default 50. Read forwards with `first` and `after`, or backwards with `last` and \
         `before`.\n\
         Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.",
        known.about.en,
        camel_case(known.date_column),
    )
}

/// The complexity of a page: that of its rows, so that aliases and large pages are charged for.
fn page_cost(first: Option<i32>, last: Option<i32>, row: usize) -> usize {
    let rows = first.or(last).unwrap_or(50).clamp(1, 500);
    10 + usize::try_from(rows).unwrap_or(500) * row / 10
}

/// Reads a page of a dataset.
struct ResolveField<'ctx, 'a> {
    ctx: &'ctx Context<'a>,
}

impl<'ctx> DatasetVisitor for ResolveField<'ctx, '_> {
    type Output = BoxFuture<'ctx, ServerResult<Value>>;

    fn visit<S: Source>(self) -> Self::Output {
        let ctx = self.ctx;
        async move {
            let (_, filter) = ctx.param_value::<Option<S::Filter>>("filter", None)?;
            let (_, first) = ctx.param_value("first", None)?;
            let (_, after) = ctx.param_value::<Option<String>>("after", None)?;
            let (_, last) = ctx.param_value("last", None)?;
            let (_, before) = ctx.param_value::<Option<String>>("before", None)?;
            let rows = rows::<S>(ctx, filter, first, after.as_deref(), last, before.as_deref()).await;
            let rows = rows.map_err(|error| {
                ctx.set_error_path(GraphqlError::from(error).into_server_error(ctx.item.pos))
            })?;
            rows.resolve(&ctx.with_selection_set(&ctx.item.node.selection_set), ctx.item).await
        }
        .boxed()
    }
}

async fn rows<S: Source>(
    ctx: &Context<'_>,
    filter: Option<S::Filter>,
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> Result<Rows<S>> {
    let viewer = ctx.viewer()?;
    let filter = filter::parse(S::DATASET, filter)?;
    let page = PageRequest::new(first, after, last, before)?;
    let mut conn = ctx.conn().await?;
    let grant = grant::to_read(&mut conn, viewer, S::DATASET, filter).await?;
    let zone = ctx.app().config.hub.timezone;
    let page = source::rows::<S>(&mut conn, &grant, zone, page).await?;
    let total = Total::new(move |conn| {
        let grant = grant.clone();
        async move { source::count::<S>(conn, &grant, zone).await }.boxed()
    });
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, total);
    connection.edges = page.rows.into_iter().map(|row| Edge::new(row.cursor().encode(), row)).collect();
    Ok(connection)
}
