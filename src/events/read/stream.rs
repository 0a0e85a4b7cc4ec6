//! Parallel decoding, delivery in order, bounded memory.
//!
//! Work is cut into *tasks*, runs of row groups of one file. Threads take tasks in order and put batches into the
//! task's own queue; the consumer empties the queues in the order of the tasks. A thread waits when all queues together
//! hold `limit` batches, unless the consumer has nothing left to take: the batch that it waits for is always let in,
//! so nobody waits for ever. At most `limit + 1` batches are queued, and one more is in the hands of each thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::error::Result;

/// Delivers what numbered tasks produce, in the order of the tasks, whatever thread ran them.
pub(super) struct Ordered<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    failed: bool,
}

/// Takes the products of one task.
pub(super) struct Outlet<'a, T> {
    shared: &'a Shared<T>,
    task: usize,
}

/// Whether anyone still wants products.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Demand {
    More,
    Stopped,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Signalled when a thread may have become able to put something in.
    room: Condvar,
    /// Signalled when the consumer may have become able to take something out.
    ready: Condvar,
    limit: usize,
}

struct State<T> {
    /// The next task that a thread takes.
    next: usize,
    /// The task whose products the consumer takes.
    head: usize,
    queues: Vec<Queue<T>>,
    /// In all queues together.
    queued: usize,
    stop: bool,
}

struct Queue<T> {
    products: VecDeque<Result<T>>,
    done: bool,
    /// What the work panicked with.
    panic: Option<Box<dyn std::any::Any + Send>>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // The state is consistent between any two statements, so a poisoned lock is as good as another.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_task(&self) -> Option<usize> {
        let mut state = self.lock();
        let task = state.next;
        if state.stop || task == state.queues.len() {
            return None;
        }
        state.next += 1;
        Some(task)
    }

    /// Marks the task as done even if the work panicked, so that the consumer cannot wait for ever.
    fn finish(&self, task: usize, panic: Option<Box<dyn std::any::Any + Send>>) {
        let queue = &mut self.lock().queues[task];
        queue.done = true;
        queue.panic = panic;
        self.ready.notify_one();
    }
}

impl<T> Outlet<'_, T> {
    /// Queues a product once there is room for it.
    pub fn put(&self, product: Result<T>) -> Demand {
        let mut state = self.shared.lock();
        loop {
            if state.stop {
                return Demand::Stopped;
            }
            let awaited = state.head == self.task && state.queues[self.task].products.is_empty();
            if awaited || state.queued < self.shared.limit {
                break;
            }
            state = self.shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.queues[self.task].products.push_back(product);
        state.queued += 1;
        self.shared.ready.notify_one();
        Demand::More
    }
}

impl<T: Send + 'static> Ordered<T> {
    /// Runs `work(task, outlet)` for the tasks `0 .. tasks` on `threads` threads, holding at most `limit + 1` products.
    pub fn start<W>(tasks: usize, threads: usize, limit: usize, work: W) -> Self
    where
        W: Fn(usize, &Outlet<'_, T>) + Send + Sync + 'static,
    {
        let queues = (0..tasks).map(|_| Queue { products: VecDeque::new(), done: false, panic: None }).collect();
        let state = Mutex::new(State { next: 0, head: 0, queues, queued: 0, stop: false });
        let shared = Arc::new(Shared { state, room: Condvar::new(), ready: Condvar::new(), limit: limit.max(1) });
        let work = Arc::new(work);
        let run = || {
            let (shared, work) = (shared.clone(), work.clone());
            // The name tells whose panic a message is about: a decoder's, which becomes an error of its task.
            let thread = std::thread::Builder::new().name("events.read".into()).spawn(move || {
                while let Some(task) = shared.take_task() {
                    let outlet = Outlet { shared: &shared, task };
                    // Unwind safety: a task that panicked is never run again, and the consumer is told.
                    let worked = catch_unwind(AssertUnwindSafe(|| work(task, &outlet)));
                    shared.finish(task, worked.err());
                }
            });
            thread.expect("the system has a thread to give, as std::thread::spawn assumes")
        };
        let threads = (0..threads.clamp(1, tasks.max(1))).map(|_| run()).collect();
        Self { shared, threads, failed: false }
    }
}

impl<T> Iterator for Ordered<T> {
    type Item = Result<T>;

    /// The next product; nothing follows an error. A panic of the work is passed on.
    fn next(&mut self) -> Option<Result<T>> {
        if self.failed {
            return None;
        }
        let mut state = self.shared.lock();
        loop {
            let head = state.head;
            let queue = state.queues.get_mut(head)?;
            if let Some(product) = queue.products.pop_front() {
                state.queued -= 1;
                self.shared.room.notify_all();
                self.failed = product.is_err();
                return Some(product);
            }
            if let Some(panic) = queue.panic.take() {
                drop(state);
                resume_unwind(panic);
            }
            if queue.done {
                state.head += 1;
                self.shared.room.notify_all();
            } else {
                state = self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl<T> Drop for Ordered<T> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.room.notify_all();
        for thread in self.threads.drain(..) {
            // A panic of the work was reported when it happened; there is nothing to add on the way out.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Task t yields t % 4 products.
    fn count_up(tasks: usize, threads: usize, limit: usize) -> Ordered<(usize, usize)> {
        Ordered::start(tasks, threads, limit, |task, outlet| {
            for part in 0..task % 4 {
                if task % 3 == 0 {
                    std::thread::yield_now();
                }
                outlet.put(Ok((task, part)));
            }
        })
    }

    #[test]
    fn order_is_that_of_the_tasks_for_any_threads_and_limit() {
        let expected: Vec<_> = (0..40).flat_map(|task| (0..task % 4).map(move |part| (task, part))).collect();
        for threads in [1, 2, 3, 8] {
            for limit in [1, 2, 7, 100] {
                let got: Vec<_> = count_up(40, threads, limit).map(|product| product.unwrap()).collect();
                assert_eq!(got, expected, "{threads} threads, {limit} queued");
            }
        }
        assert_eq!(count_up(0, 4, 4).count(), 0);
    }

    #[test]
    fn queued_products_stay_within_the_limit() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let mut ordered = Ordered::start(50, 4, 3, move |_, outlet| {
            for _ in 0..10 {
                counter.fetch_add(1, Ordering::SeqCst);
                if outlet.put(Ok(())) == Demand::Stopped {
                    return;
                }
            }
        });
        for taken in 0..200 {
            std::thread::sleep(std::time::Duration::from_micros(50));
            // 3 + 1 queued and one in the hands of each of the 4 threads.
            assert!(made.load(Ordering::SeqCst) <= taken + 8);
            ordered.next().unwrap().unwrap();
        }
        drop(ordered);
    }

    #[test]
    fn a_panic_of_the_work_reaches_the_consumer_after_what_came_before() {
        let mut ordered = Ordered::start(5, 2, 2, |task, outlet| {
            assert!(task != 2, "on purpose");
            outlet.put(Ok(task));
        });
        assert_eq!((ordered.next().unwrap().unwrap(), ordered.next().unwrap().unwrap()), (0, 1));
        let panic = catch_unwind(AssertUnwindSafe(|| ordered.next().is_some())).unwrap_err();
        assert!(panic.downcast_ref::<&str>().is_some_and(|text| text.contains("on purpose")));
    }

    #[test]
    fn nothing_follows_an_error() {
        let mut ordered = Ordered::start(5, 2, 2, |task, outlet| {
            let fault = || Fault::new("test", "no").data();
            outlet.put(if task == 2 { Err(fault()) } else { Ok(task) });
        });
        assert_eq!((ordered.next().unwrap().unwrap(), ordered.next().unwrap().unwrap()), (0, 1));
        assert!(ordered.next().unwrap().is_err());
        assert!(ordered.next().is_none());
    }
}
