//! A process that is stopped when it is no longer needed.

use std::process::{Child, ChildStdout};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a process may take to end once it was told to.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that ends with this value: it is told to end, and killed if it does not.
pub struct Stopped(Child);

impl Stopped {
    /// Takes charge of a process.
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Its standard output, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let Ok(id) = i32::try_from(self.0.id()) else { return };
        if self.has_ended() || kill(Pid::from_raw(id), Signal::SIGTERM).is_err() {
            return;
        }
        let told = Instant::now();
        while !self.has_ended() {
            if told.elapsed() > PATIENCE {
                eprintln!("Process {id} does not end by itself and is killed");
                // It may have ended between the two; then there is nothing to kill or wait for.
                drop(self.0.kill());
                drop(self.0.wait());
                return;
            }
            sleep(Duration::from_millis(20));
        }
    }
}
