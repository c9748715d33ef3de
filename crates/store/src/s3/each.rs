//! What takes more than one request for each key: some keys at a time.

use tokio::task::JoinSet;

use crate::{DeleteBatch, StoreError};

/// Does something with each, some at a time, and gives the results in their order.
pub(super) async fn each<T, F, R>(all: Vec<T>, act: impl Fn(T) -> F) -> Vec<Result<R, StoreError>>
where
    F: Future<Output = Result<R, StoreError>> + Send + 'static,
    R: Send + 'static,
{
    let mut results: Vec<Option<Result<R, StoreError>>> = Vec::new();
    results.resize_with(all.len(), || None);
    let mut left = all.into_iter().enumerate();
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < DeleteBatch::COPIES
            && let Some((place, one)) = left.next()
        {
            let acting = act(one);
            tasks.spawn(async move { (place, acting.await) });
        }
        match tasks.join_next().await {
            None => break,
            Some(Ok((place, result))) => results[place] = Some(result),
            // One that panicked told nothing; whoever joins it panics as well.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    results.into_iter().flatten().collect()
}
