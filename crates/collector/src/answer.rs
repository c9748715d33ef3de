//! Answers of a store that are about each thing that was asked for, and about nothing else.

use store::{ErrorKind, Operation, StoreError};

/// The outcomes of an answer in which there is one for each of `asked` (G10): an answer that leaves one out says nothing
/// about any of them.
pub(crate) fn in_full<T>(
    outcomes: Vec<T>,
    asked: usize,
    operation: Operation,
    subject: &str,
) -> Result<Vec<T>, StoreError> {
    if outcomes.len() == asked {
        return Ok(outcomes);
    }
    Err(StoreError::new(operation, subject, ErrorKind::Malformed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g10_an_answer_with_too_few_or_too_many_outcomes_is_none() {
        let answer = |outcomes| in_full(outcomes, 2, Operation::Delete, "here");
        assert_eq!(answer(vec![1, 2]).unwrap(), [1, 2]);
        for outcomes in [vec![], vec![1], vec![1, 2, 3]] {
            assert_eq!(answer(outcomes).unwrap_err().kind, ErrorKind::Malformed);
        }
    }
}
