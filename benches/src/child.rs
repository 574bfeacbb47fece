//! Child processes that are stopped when they are dropped.

use std::process::{Child, ChildStdout};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a process may take to exit after SIGTERM.
const EXIT_TIMEOUT: Duration = Duration::from_secs(30);

/// A child process. Dropping this value sends SIGTERM, and SIGKILL if the process does not exit in time.
pub struct ChildGuard(Child);

impl ChildGuard {
    /// Guards this process.
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Takes the standard output, if it was not taken before.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        let Ok(id) = i32::try_from(self.0.id()) else { return };
        if self.has_ended() || kill(Pid::from_raw(id), Signal::SIGTERM).is_err() {
            return;
        }
        let signaled_at = Instant::now();
        while !self.has_ended() {
            if signaled_at.elapsed() > EXIT_TIMEOUT {
                eprintln!("Process {id} did not exit in time, killing it");
                // The process may have exited in the meantime, so errors are ignored.
                drop(self.0.kill());
                drop(self.0.wait());
                return;
            }
            sleep(Duration::from_millis(20));
        }
    }
}
