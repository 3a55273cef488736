//! How much one document may ask: fields of the root and aliases are counted before anything is
//! resolved, through fragments too. Never more work than counting for what is refused.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Name, Positioned, ServerError, ServerResult, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextParseQuery},
    parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};

/// Fields of the root that one operation may ask for.
const ROOTS: usize = 32;
/// Aliases in one operation.
const ALIASES: usize = 64;
/// How deep fragments are followed: the depth of a query has a limit of its own.
const DEEP: usize = 32;
/// Selections that are looked at. A document that is within its limits has far fewer.
const LOOKED_AT: usize = 10_000;

/// Makes the check for each request.
pub(super) struct Breadth;

struct Check;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

#[derive(Default)]
struct Count {
    roots: usize,
    aliases: usize,
    looked_at: usize,
}

impl ExtensionFactory for Breadth {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Check)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Check {
    async fn parse_query(
        &self,
        context: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(context, query, variables).await?;
        for (_, operation) in document.operations.iter() {
            let mut count = Count::default();
            count.all(&operation.node.selection_set.node, &document.fragments, (0, true));
            let over = [
                (count.roots, ROOTS, "fields of the root"),
                (count.aliases, ALIASES, "aliases"),
                (count.looked_at, LOOKED_AT, "selections"),
            ];
            if let Some((_, most, what)) = over.iter().find(|(asked, most, _)| asked > most) {
                let because = format!("an operation has at most {most} {what}: ask in parts");
                return Err(ServerError::new(because, None));
            }
        }
        Ok(document)
    }
}

impl Count {
    fn all(&mut self, set: &SelectionSet, fragments: &Fragments, (depth, root): (usize, bool)) {
        for selection in &set.items {
            self.looked_at = self.looked_at.saturating_add(1);
            if depth > DEEP || self.looked_at > LOOKED_AT {
                // Refused for one or the other reason, whatever comes.
                self.looked_at = LOOKED_AT.saturating_add(1);
                return;
            }
            let below = depth.saturating_add(1);
            match &selection.node {
                Selection::Field(field) => {
                    self.roots = self.roots.saturating_add(usize::from(root));
                    let named = usize::from(field.node.alias.is_some());
                    self.aliases = self.aliases.saturating_add(named);
                    self.all(&field.node.selection_set.node, fragments, (below, false));
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(named) = fragments.get(&spread.node.fragment_name.node) {
                        self.all(&named.node.selection_set.node, fragments, (below, root));
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.all(&inline.node.selection_set.node, fragments, (below, root));
                }
            }
        }
    }
}
