//! `regsweep man`: the manual, a page for each command.

use std::fs;
use std::path::Path;

use super::Context;
use crate::args::ManArgs;
use crate::{Failure, manual};

/// Writes the pages.
///
/// # Errors
/// [`Failure::File`] where they cannot be written.
pub(crate) fn man(args: &ManArgs, context: &Context<'_>) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File { path, source }
    };
    fs::create_dir_all(&args.out).map_err(failed(&args.out))?;
    let pages = manual::pages().map_err(failed(&args.out))?;
    for page in &pages {
        let path = args.out.join(&page.file);
        fs::write(&path, &page.text).map_err(failed(&path))?;
    }
    context.tip(&format!("{} pages are in {}", pages.len(), args.out.display()));
    Ok(())
}
