//! Lists what the listing of a repository left out.

use lister::RepositoryTree;
use store::{Listed, ReadStore};

use super::Marker;
use crate::{Evidence, MarkError, passed_by};

impl<S: ReadStore> Marker<S> {
    /// Lists the folders that the listing left closed.
    pub(super) async fn open(&self, tree: &mut RepositoryTree) -> Result<(), MarkError> {
        for folder in std::mem::take(&mut tree.closed) {
            let listed = self.list(&folder).await?;
            self.add(tree, listed);
        }
        Ok(())
    }

    /// Lists the folders of revisions that may be signed; whether anything was found there.
    pub(super) async fn look_beside(
        &self,
        tree: &mut RepositoryTree,
        evidence: &Evidence,
    ) -> Result<bool, MarkError> {
        let mut found = Vec::new();
        for folder in passed_by::folders(tree, evidence) {
            found.extend(self.list(&folder).await?);
        }
        let found = passed_by::unknown(tree, found);
        let is_any = !found.is_empty();
        self.add(tree, found);
        Ok(is_any)
    }

    async fn list(&self, folder: &str) -> Result<Vec<Listed>, MarkError> {
        let listed = self.library.list(folder).await;
        listed.map_err(|source| MarkError::List { folder: folder.into(), source })
    }

    fn add(&self, tree: &mut RepositoryTree, listed: Vec<Listed>) {
        for listed in listed {
            tree.add(self.library.layout(), listed);
        }
    }
}
