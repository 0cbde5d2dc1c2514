//! Fits side by side, one instance each. Their results come in the order of the tasks, whatever the order in which they
//! are finished.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::bounded;

/// What became of each task; `None` of those that a stop left.
pub fn side_by_side<T: Sync, R: Send>(
    tasks: &[T],
    threads: usize,
    stop: &AtomicBool,
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(usize, &R),
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<R>> = tasks.iter().map(|_| None).collect();
    let (finished_in, finished) = bounded(threads.max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, tasks.len().max(1)) {
            let (finished_in, next, work) = (finished_in.clone(), &next, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(index) else { break };
                    if finished_in.send((index, work(task))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(finished_in);
        for (index, result) in finished {
            done(index, &result);
            results[index] = Some(result);
        }
    });
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_tasks() {
        let tasks: Vec<u64> = (0..50).collect();
        let slow_first = |task: &u64| {
            let spins = if *task < 4 { 2_000_000_u64 } else { 10 };
            (0..spins)
                .fold(*task, |sum, it| std::hint::black_box(sum.wrapping_add(it % 2).wrapping_sub(it % 2)))
        };
        for threads in [1, 3] {
            let mut count = 0;
            let results =
                side_by_side(&tasks, threads, &AtomicBool::new(false), slow_first, |_, _| count += 1);
            assert_eq!(results, tasks.iter().copied().map(Some).collect::<Vec<_>>());
            assert_eq!(count, 50);
        }
    }

    #[test]
    fn a_stop_leaves_tasks_that_were_not_begun() {
        let stop = AtomicBool::new(false);
        let work = |task: &usize| {
            if *task == 3 {
                stop.store(true, Ordering::Relaxed);
            }
            *task
        };
        let results = side_by_side(&[0, 1, 2, 3, 4, 5], 1, &stop, work, |_, _| {});
        assert_eq!(results, [Some(0), Some(1), Some(2), Some(3), None, None]);
        assert_eq!(side_by_side(&[] as &[usize], 2, &AtomicBool::new(false), |it| *it, |_, _| {}), []);
    }
}
