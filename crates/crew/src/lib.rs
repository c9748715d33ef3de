//! Work for many, done by a few: [`each`].
//!
//! # Guarantees
//! G12: no more is done at once than was allowed. No answer is lost: all of them, in the order of the items, or an error.
//!
//! # Cost
//! A task for each of those at work, a lock for each item; neither where the items are done one by one.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::{JoinError, JoinSet};

/// Items that wait, with their places.
type Queue<T> = Arc<Mutex<std::iter::Enumerate<std::vec::IntoIter<T>>>>;

/// Does `work` for each item, at most `width` at once, and gives back the answers in the order of the items.
///
/// # Errors
/// The first error that is seen; what is under way then is dropped. `lost` makes one of a task that ended without an
/// answer.
pub async fn each<T, R, E, W, F>(
    items: Vec<T>,
    width: usize,
    work: W,
    lost: impl Fn(JoinError) -> E,
) -> Result<Vec<R>, E>
where
    T: Send + 'static,
    R: Send + 'static,
    E: Send + 'static,
    W: Fn(T) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<R, E>> + Send + 'static,
{
    if width <= 1 {
        return alone(items, work).await;
    }
    let tasks = width.min(items.len());
    let queue: Queue<T> = Arc::new(Mutex::new(items.into_iter().enumerate()));
    let mut group = JoinSet::new();
    for _ in 1..tasks {
        group.spawn(serve(Arc::clone(&queue), work.clone()));
    }
    let mut answers = serve(queue, work).await?;
    while let Some(joined) = group.join_next().await {
        answers.extend(joined.map_err(&lost)??);
    }
    answers.sort_unstable_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// Does the work one by one, which needs no queue.
async fn alone<T, R, E, W, F>(items: Vec<T>, work: W) -> Result<Vec<R>, E>
where
    W: Fn(T) -> F,
    F: Future<Output = Result<R, E>>,
{
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        answers.push(work(item).await?);
    }
    Ok(answers)
}

/// Takes items until none is left.
async fn serve<T, R, E, W, F>(queue: Queue<T>, work: W) -> Result<Vec<(usize, R)>, E>
where
    W: Fn(T) -> F,
    F: Future<Output = Result<R, E>>,
{
    let mut answers = Vec::new();
    // Nothing can panic under the lock.
    while let Some((place, item)) = { queue.lock().unwrap_or_else(PoisonError::into_inner).next() }
    {
        answers.push((place, work(item).await?));
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn answers_come_in_order_and_no_more_work_at_once_than_allowed() {
        for (count, width) in [(0, 3), (1, 3), (50, 1), (50, 7), (5, 100)] {
            let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let seen = Arc::clone(&most);
            let work = move |item: usize| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(item * 2)
                }
            };
            let answers =
                each((0..count).collect(), width, work, |error| error.to_string()).await.unwrap();
            assert_eq!(answers, (0..count).map(|item| item * 2).collect::<Vec<_>>());
            assert!(seen.load(Ordering::SeqCst) <= width);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_error_ends_the_work_wherever_it_happens() {
        for bad in 0..20 {
            let work = move |item: usize| async move {
                tokio::task::yield_now().await;
                if item == bad { Err("bad".to_owned()) } else { Ok(item) }
            };
            let error =
                each((0..20).collect(), 4, work, |error| error.to_string()).await.unwrap_err();
            assert_eq!(error, "bad");
        }
    }

    #[tokio::test]
    async fn a_panic_of_a_task_is_an_error() {
        let work = |item: usize| async move {
            tokio::task::yield_now().await; // so that every task gets an item
            assert!(tokio::task::try_id().is_none(), "a bug, by plan");
            Ok(item)
        };
        let outcome = each((0..200).collect(), 4, work, |error| error.to_string()).await;
        assert!(outcome.unwrap_err().contains("panicked"));
    }
}
