//! Writing a journal: one thread, and one sync for all that wait for one.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::disk::Disk;
use super::frame::put_frame;
use super::record::{Marked, Record, Run, Span};

/// Takes records; a thread writes them in the order in which they come.
///
/// The queue needs no bound of its own: a batch waits for its intent, so it never holds more than an intent and an
/// outcome for each batch in flight (G12).
#[derive(Debug)]
pub(crate) struct Writer {
    orders: Sender<Order>,
    thread: JoinHandle<io::Result<()>>,
}

/// Resolves when a record is durable; an error means that it never will be, and [`Writer::close`] tells why.
pub(crate) type Durable = oneshot::Receiver<()>;

#[derive(Debug)]
struct Order {
    record: Record,
    durable: Option<oneshot::Sender<()>>,
}

impl Writer {
    /// Writes to a disk that holds `length` bytes, all of them durable.
    pub(crate) fn start(disk: Box<dyn Disk>, length: u64) -> Self {
        let (orders, queue) = channel();
        let pen = Pen { disk, length, durable: length };
        Self { orders, thread: tokio::task::spawn_blocking(move || pen.write_all(&queue)) }
    }

    /// Says what is about to be deleted. Nothing may be asked of the store before this is durable (G11).
    pub(crate) fn intend(&self, batch: u64, after: u64, spans: Vec<Span>) -> Durable {
        self.record_durably(Record::Intent { batch, after, spans })
    }

    /// Says what became of it, after the delete markers that were made. Durable with the next record that is waited
    /// for: a lost outcome is asked for again.
    pub(crate) fn settle(&self, batch: u64, after: u64, markers: Vec<Marked>, runs: Vec<Run>) {
        for markers in in_records(markers) {
            self.send(Order { record: Record::Markers { batch, markers }, durable: None });
        }
        self.send(Order { record: Record::Outcome { batch, after, runs }, durable: None });
    }

    /// Writes a record that someone waits for.
    pub(crate) fn record_durably(&self, record: Record) -> Durable {
        let (sender, durable) = oneshot::channel();
        self.send(Order { record, durable: Some(sender) });
        durable
    }

    fn send(&self, order: Order) {
        // The thread is gone only after an error, which `close` returns; whoever waits sees its sender dropped.
        drop(self.orders.send(order));
    }

    /// Ends writing when everything is durable.
    pub(crate) async fn close(self) -> io::Result<()> {
        drop(self.orders);
        match self.thread.await {
            Ok(written) => written,
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

/// About how many bytes of version ids go into one record: far fewer than a record may have, whatever their length.
const IDS: usize = 256 * 1024;

/// Markers in as many records as they need.
fn in_records(markers: Vec<Marked>) -> Vec<Vec<Marked>> {
    let (mut records, mut room) = (Vec::<Vec<Marked>>::new(), 0_usize);
    for marked in markers {
        let size = marked.id.len();
        if let Some(record) = records.last_mut().filter(|_| size <= room) {
            record.push(marked);
        } else {
            records.push(vec![marked]);
            room = IDS;
        }
        room = room.saturating_sub(size);
    }
    records
}

/// The thread's side.
struct Pen {
    disk: Box<dyn Disk>,
    length: u64,
    durable: u64,
}

impl Pen {
    /// Writes until nobody can send any more. After an error nothing is written: what came behind a record that
    /// is not whole would be lost.
    fn write_all(mut self, queue: &Receiver<Order>) -> io::Result<()> {
        while let Ok(first) = queue.recv() {
            self.write_group(std::iter::once(first).chain(queue.try_iter()).collect())?;
        }
        self.sync()
    }

    /// Writes records together and syncs once, if anybody waits for one of them.
    fn write_group(&mut self, orders: Vec<Order>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for order in &orders {
            let position = self.length + bytes.len() as u64;
            put_frame(&mut bytes, position, self.durable, &order.record.encode());
        }
        self.disk.append(&bytes)?;
        self.length += bytes.len() as u64;
        if orders.iter().any(|order| order.durable.is_some()) {
            self.sync()?;
        }
        for waiting in orders.into_iter().filter_map(|order| order.durable) {
            // Nobody waits any more where the batch was given up; its intent stands all the same.
            waiting.send(()).unwrap_or_default();
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.durable < self.length {
            self.disk.sync()?;
            self.durable = self.length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_of_markers_grows_too_long_and_none_is_lost() {
        let id: Box<str> = "x".repeat(1024).into();
        let all: Vec<Marked> =
            (0..1000).map(|ordinal| Marked { segment: 0, ordinal, id: id.clone() }).collect();
        let records = in_records(all.clone());
        assert_eq!(records.len(), 4);
        let longest = |markers: &Vec<Marked>| {
            Record::Markers { batch: 0, markers: markers.clone() }.encode().len()
        };
        assert!(records.iter().map(longest).max() < Some(IDS + 10_000));
        assert_eq!(records.concat(), all);
        assert!(in_records(Vec::new()).is_empty());
    }
}
