//! Sends lines in batches, and finds those that the server refuses.

use std::time::Duration;

use tallow_env::Clock;
use tallow_http::Http;

use crate::answer::{Verdict, Which, judge};
use crate::request;
use crate::settings::Server;

/// Bytes of one request, unless a single line is longer: below what servers take by default.
const BATCH_BYTES: usize = 4 << 20;

/// Why not all lines could be dealt with.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It may work later. Any of the lines may be written.
    Later { why: String, after: Option<Duration> },
    /// A person has to look.
    Refused { why: String },
}

/// Writes lines to one database; gives those that it refuses, by their places, with why.
pub fn write(
    (server, http, clock): (&Server, &dyn Http, &dyn Clock),
    lines: &[&str],
) -> Result<Vec<(usize, String)>, Stopped> {
    let mut refused = Vec::new();
    // Pieces still to be sent, the next one last.
    let mut pieces = batches(lines, server.batch_points);
    pieces.reverse();
    while let Some(piece) = pieces.pop() {
        let body = piece.iter().fold(String::new(), |body, line| body + lines[*line] + "\n");
        let answer = http.send(&request::write(server, body));
        match judge(&answer, piece.len(), clock.now_us()) {
            Verdict::Written => {}
            Verdict::Later { why, after } => return Err(Stopped::Later { why, after }),
            Verdict::Refused { why } => return Err(Stopped::Refused { why }),
            Verdict::Lines { why, which: Which::All } => {
                refused.extend(piece.iter().map(|line| (*line, why.clone())));
            }
            Verdict::Lines { why, which: Which::Known(known) } => {
                let own =
                    |(at, own): &(usize, Option<String>)| (piece[*at], own.clone().unwrap_or(why.clone()));
                refused.extend(known.iter().map(own));
                let rest = |at: &usize| !known.iter().any(|(known, _)| known == at);
                let rest: Vec<usize> = (0..piece.len()).filter(rest).map(|at| piece[at]).collect();
                pieces.extend(Some(rest).filter(|rest| !rest.is_empty()));
            }
            Verdict::Lines { why, which: Which::Unknown } | Verdict::TooLarge { why } => {
                halve(piece, why, &mut pieces, &mut refused);
            }
        }
    }
    refused.sort();
    Ok(refused)
}

/// One line alone is the one that is refused.
fn halve(piece: Vec<usize>, why: String, pieces: &mut Vec<Vec<usize>>, refused: &mut Vec<(usize, String)>) {
    if let [line] = piece[..] {
        return refused.push((line, why));
    }
    let (first, second) = piece.split_at(piece.len() / 2);
    pieces.extend([second.to_vec(), first.to_vec()]);
}

fn batches(lines: &[&str], most: usize) -> Vec<Vec<usize>> {
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (at, line) in lines.iter().enumerate() {
        if !batch.is_empty() && (batch.len() >= most.max(1) || bytes + line.len() > BATCH_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += line.len() + 1;
        batch.push(at);
    }
    batches.extend(Some(batch).filter(|batch| !batch.is_empty()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_order_and_both_limits() {
        let long = "x".repeat(BATCH_BYTES);
        let lines = ["a", "b", "c", &long, "d", "e"];
        assert_eq!(batches(&lines, 2), [vec![0, 1], vec![2], vec![3], vec![4, 5]]);
        assert_eq!(batches(&lines, 100), [vec![0, 1, 2], vec![3], vec![4, 5]]);
        assert!(batches(&[], 2).is_empty());
    }
}
