//! Records of child subqueries. Their first page comes within the record of their parent; the others are asked for at once, since the next page of
//! the parents makes the places within the children's lists void.

use crate::{
    connectors::{
        http::garbled,
        rows::{Columns, Unfinished},
    },
    model::{Fault, Name, Page, Record, System, Value},
};

use super::Salesforce;

impl Salesforce {
    /// The page with all children of its records.
    pub(super) async fn with_all_children(&self, mut page: Page) -> Result<Page, Fault> {
        for record in &mut page.records {
            self.complete(record).await?;
        }
        Ok(page)
    }

    /// Children may have children of their own.
    async fn complete(&self, record: &mut Record) -> Result<(), Fault> {
        let lists: Vec<Name> = record.iter().filter(|(_, value)| holds_records(value)).map(|(name, _)| name.clone()).collect();
        for name in lists {
            let mut children = match Unfinished::of(record.remove(&name).unwrap_or_default()) {
                Ok(unfinished) => self.all_children(&name, unfinished).await?,
                Err(whole) => whole,
            };
            if let Value::List(children) = &mut children {
                for child in children {
                    if let Value::Map(child) = child {
                        Box::pin(self.complete(child)).await?;
                    }
                }
            }
            record.set(name, children);
        }
        Ok(())
    }

    async fn all_children(&self, name: &str, first: Unfinished) -> Result<Value, Fault> {
        let lost = || garbled(System::Salesforce, format!("the list `{name}` of a record is not complete, and its next page is not told"));
        let (mut children, mut next) = (first.rows, Some(first.next.ok_or_else(lost)?));
        let columns = Columns { open: true, ..Columns::default() };
        while let Some(locator) = next {
            let page = self.page_at(&locator, &columns, 2_000).await?;
            children.extend(page.records.into_iter().map(Value::Map));
            next = page.next;
        }
        Ok(Value::List(children))
    }
}

/// Whether it is a list of records, or one that goes on elsewhere.
fn holds_records(value: &Value) -> bool {
    match value {
        Value::List(items) => matches!(items.first(), Some(Value::Map(_))),
        Value::Map(inner) => Unfinished::is(inner),
        _ => false,
    }
}
