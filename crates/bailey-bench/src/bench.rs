//! Timing, percentiles, and the table.

use std::fmt;
use std::time::{Duration, Instant};

/// Returns the moment.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
pub fn now() -> Instant {
    Instant::now()
}

/// Times of one thing done many times, sorted.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Does something so many times.
    pub fn of<E>(count: usize, mut work: impl FnMut(usize) -> Result<(), E>) -> Result<Self, E> {
        let mut times = Vec::with_capacity(count);
        for index in 0..count {
            let started = now();
            work(index)?;
            times.push(started.elapsed());
        }
        Ok(Self::from(times))
    }

    /// Returns the time that so many percent did not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((self.0.len() * percent / 100).min(last)).copied().unwrap_or_default()
    }

    /// Returns the median.
    pub fn median(&self) -> Duration {
        self.percentile(50)
    }
}

impl From<Vec<Duration>> for Times {
    fn from(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }
}

/// What was measured: figure, reference, and what the two come to.
#[derive(Debug, Default)]
pub struct Table(Vec<[String; 4]>);

impl Table {
    /// Adds a row, and tells it at once.
    pub fn row(&mut self, what: &str, figure: String, reference: String, comes_to: String) {
        eprintln!("{what}: {figure}; {reference}; {comes_to}");
        self.0.push([what.to_owned(), figure, reference, comes_to]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | figure | reference of the same run | comes to |\n|---|---|---|---|")?;
        for cells in &self.0 {
            writeln!(f, "| {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}

/// Returns a time in the unit that fits.
pub fn show(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..1_000.0 => format!("{micros:.0} µs"),
        1_000.0..1_000_000.0 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

/// Returns how many of so many in a time come to each second.
pub fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}
