//! Parallel decoding, delivery in order, bounded memory.
//!
//! Work is cut into *tasks*, runs of row groups of one file. Threads take tasks in order and put products into the
//! task's own queue; the consumer empties the queues in the order of the tasks. A thread waits when all queues together
//! hold `limit` products, unless the consumer has nothing left to take: the product that it waits for is always let in,
//! so nobody waits for ever. At most `limit + 1` products are queued, and one more is in the hands of each thread.
//!
//! A thread for which no task is left helps the others: they *lend* it what is to be done with a batch that they have
//! decoded, and decode the next one meanwhile. So a file of one row group keeps more than one thread busy, and threads end
//! together although row groups are few and large.

use std::any::Any;
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
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
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
    /// Signalled when a thread without a task may have something to do, or nothing ever again.
    lent: Condvar,
    limit: usize,
}

struct State<T> {
    /// The next task that a thread takes.
    next: usize,
    /// The tasks that threads are at.
    running: usize,
    /// The threads that wait for something to be lent to them.
    idle: usize,
    loans: VecDeque<Loan<T>>,
    /// The task whose products the consumer takes.
    head: usize,
    queues: Vec<Queue<T>>,
    /// In all queues together.
    queued: usize,
    stop: bool,
}

struct Queue<T> {
    products: VecDeque<Product<T>>,
    /// The number of the first of them.
    first: usize,
    done: bool,
}

enum Product<T> {
    /// Another thread is at it.
    Lent,
    Made(Result<T>),
    /// What the work panicked with.
    Panicked(Box<dyn Any + Send>),
}

/// Work that makes one product of a task.
struct Loan<T> {
    task: usize,
    product: usize,
    work: Box<dyn FnOnce() -> Result<T> + Send>,
}

impl<T> Queue<T> {
    fn push(&mut self, product: Product<T>) -> usize {
        self.products.push_back(product);
        self.first + self.products.len() - 1
    }

    /// The next product, if it is there.
    fn pop(&mut self) -> Option<Product<T>> {
        if matches!(self.products.front(), None | Some(Product::Lent)) {
            return None;
        }
        self.first += 1;
        self.products.pop_front()
    }
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
        state.running += 1;
        Some(task)
    }

    /// Marks the task as done even if the work panicked, so that the consumer cannot wait for ever.
    fn finish(&self, task: usize, panic: Option<Box<dyn Any + Send>>) {
        let mut state = self.lock();
        state.running -= 1;
        let panicked = panic.map(Product::Panicked);
        state.queued += usize::from(panicked.is_some());
        let queue = &mut state.queues[task];
        queue.done = true;
        panicked.map(|panicked| queue.push(panicked));
        self.ready.notify_one();
        self.lent.notify_all();
    }

    /// What another thread lends; nothing once all tasks are done.
    fn borrow(&self) -> Option<Loan<T>> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            if let Some(loan) = state.loans.pop_front() {
                return Some(loan);
            }
            if state.running == 0 {
                return None;
            }
            state.idle += 1;
            state = self.lent.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn give_back(&self, task: usize, product: usize, made: Product<T>) {
        let queue = &mut self.lock().queues[task];
        let place = product - queue.first;
        queue.products[place] = made;
        self.ready.notify_one();
    }

    /// Waits until a product of the task may be queued; `None` if nobody wants it any more.
    fn wait_for_room(&self, task: usize) -> Option<MutexGuard<'_, State<T>>> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            let awaited = state.head == task && state.queues[task].products.is_empty();
            if awaited || state.queued < self.limit {
                return Some(state);
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Outlet<'_, T> {
    /// Queues a product once there is room for it.
    pub fn put(&self, product: Result<T>) -> Demand {
        let Some(mut state) = self.shared.wait_for_room(self.task) else { return Demand::Stopped };
        state.queues[self.task].push(Product::Made(product));
        state.queued += 1;
        self.shared.ready.notify_one();
        Demand::More
    }

    /// Queues what `work` makes: of a thread that has nothing else to do, or here. Nothing follows an error.
    pub fn make(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Demand {
        let state = self.shared.lock();
        let alone = state.idle <= state.loans.len();
        drop(state);
        if alone {
            let product = work();
            let demand = if product.is_ok() { Demand::More } else { Demand::Stopped };
            return if self.put(product) == Demand::More { demand } else { Demand::Stopped };
        }
        let Some(mut state) = self.shared.wait_for_room(self.task) else { return Demand::Stopped };
        let product = state.queues[self.task].push(Product::Lent);
        state.queued += 1;
        state.loans.push_back(Loan { task: self.task, product, work: Box::new(work) });
        self.shared.lent.notify_one();
        Demand::More
    }
}

impl<T: Send + 'static> Ordered<T> {
    /// Runs `work(task, outlet)` for the tasks `0 .. tasks` on `threads` threads, holding at most `limit + 1` products.
    pub fn start<W>(tasks: usize, threads: usize, limit: usize, work: W) -> Self
    where
        W: Fn(usize, &Outlet<'_, T>) + Send + Sync + 'static,
    {
        let queues = (0..tasks).map(|_| Queue { products: VecDeque::new(), first: 0, done: false }).collect();
        let loans = VecDeque::new();
        let state = State { next: 0, running: 0, idle: 0, loans, head: 0, queues, queued: 0, stop: false };
        let [room, ready, lent] = std::array::from_fn(|_| Condvar::new());
        let shared = Arc::new(Shared { state: Mutex::new(state), room, ready, lent, limit: limit.max(1) });
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
                while let Some(Loan { task, product, work }) = shared.borrow() {
                    let made = catch_unwind(AssertUnwindSafe(work));
                    shared.give_back(task, product, made.map_or_else(Product::Panicked, Product::Made));
                }
            });
            thread.expect("the system has a thread to give, as std::thread::spawn assumes")
        };
        // One that decodes keeps hardly more than one that helps busy.
        let threads = (0..threads.clamp(1, (2 * tasks).max(1))).map(|_| run()).collect();
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
            let product = queue.pop();
            let done = queue.done && queue.products.is_empty();
            match product {
                Some(Product::Panicked(panic)) => {
                    drop(state);
                    resume_unwind(panic);
                }
                Some(Product::Made(product)) => {
                    state.queued -= 1;
                    self.shared.room.notify_all();
                    self.failed = product.is_err();
                    return Some(product);
                }
                _ if done => {
                    state.head += 1;
                    self.shared.room.notify_all();
                }
                _ => state = self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl<T> Drop for Ordered<T> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.room.notify_all();
        self.shared.lent.notify_all();
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

    /// Task t makes 5 products, of which some are lent once the other thread has no task left.
    fn make(tasks: usize, threads: usize, limit: usize) -> Ordered<(usize, usize)> {
        Ordered::start(tasks, threads, limit, |task, outlet| {
            for part in 0..5 {
                if (task + part) % 3 == 0 {
                    std::thread::sleep(std::time::Duration::from_micros(200));
                }
                outlet.make(move || Ok((task, part)));
            }
        })
    }

    #[test]
    fn order_stays_when_threads_help_each_other() {
        for threads in [1, 2, 8] {
            for (tasks, limit) in [(1, 1), (1, 3), (3, 1), (3, 100)] {
                let expected: Vec<_> = (0..tasks).flat_map(|task| (0..5).map(move |part| (task, part))).collect();
                let got: Vec<_> = make(tasks, threads, limit).map(|product| product.unwrap()).collect();
                assert_eq!(got, expected, "{tasks} tasks, {threads} threads, {limit} queued");
            }
        }
    }

    #[test]
    fn a_thread_without_a_task_works_for_one_that_has() {
        let seen = Arc::new(Mutex::new(std::collections::HashSet::new()));
        let of_task = seen.clone();
        let ordered = Ordered::start(1, 2, 100_000, move |_, outlet| {
            // On a busy machine it takes a while until the other thread runs at all.
            for part in 0..30_000 {
                let seen = of_task.clone();
                std::thread::sleep(std::time::Duration::from_millis(1));
                outlet.make(move || {
                    seen.lock().unwrap().insert(std::thread::current().id());
                    Ok(part)
                });
                if of_task.lock().unwrap().len() == 2 {
                    return;
                }
            }
        });
        let products: Vec<usize> = ordered.map(|product| product.unwrap()).collect();
        assert_eq!(seen.lock().unwrap().len(), 2);
        assert!(products.iter().copied().eq(0..products.len()));
    }

    #[test]
    fn errors_and_panics_of_helpers_come_at_their_places() {
        let start = |panics: bool| {
            Ordered::start(1, 2, 100, move |_, outlet| {
                for part in 0..50 {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                    let work = move || match part {
                        30 if panics => panic!("on purpose"),
                        30 => Err(Fault::new("test", "no").data()),
                        _ => Ok(part),
                    };
                    if outlet.make(work) == Demand::Stopped {
                        return;
                    }
                }
            })
        };
        let mut failing = start(false);
        assert!((0..30).all(|part| failing.next().unwrap().unwrap() == part));
        assert!(failing.next().unwrap().is_err() && failing.next().is_none());
        let mut panicking = start(true);
        assert!((0..30).all(|part| panicking.next().unwrap().unwrap() == part));
        assert!(catch_unwind(AssertUnwindSafe(|| panicking.next().is_some())).is_err());
    }

    #[test]
    fn what_is_lent_stays_within_the_limit_and_may_be_dropped() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let mut ordered = Ordered::start(1, 4, 3, move |_, outlet| {
            for _ in 0..1000 {
                let counter = counter.clone();
                if outlet.make(move || Ok(counter.fetch_add(1, Ordering::SeqCst))) == Demand::Stopped {
                    return;
                }
            }
        });
        for taken in 0..200 {
            std::thread::sleep(std::time::Duration::from_micros(50));
            assert!(made.load(Ordering::SeqCst) <= taken + 8);
            ordered.next().unwrap().unwrap();
        }
    }
}
