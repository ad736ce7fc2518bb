//! What a long run tells its caller while it works.

/// News from a run.
#[derive(Debug, Clone, PartialEq)]
pub enum News<'a> {
    /// A task begins.
    Started {
        /// Task, e.g. `hazard/flood`.
        task: &'a str,
    },
    /// A task was found finished and is not run again.
    Kept {
        /// Task.
        task: &'a str,
    },
    /// A task has done a share of its work.
    Step {
        /// Task.
        task: &'a str,
        /// Work done, 0..=1.
        done: f64,
        /// What is being done.
        note: &'a str,
    },
    /// Something in the input that does not stop the run but must be known.
    Warning {
        /// Task.
        task: &'a str,
        /// What was found and what is done about it.
        text: &'a str,
    },
    /// A task is finished and committed.
    Finished {
        /// Task.
        task: &'a str,
        /// Wall time, s.
        seconds: f64,
    },
}

/// Receives the news of a run; called from one thread at a time.
pub type Listener<'a> = dyn Fn(News<'_>) + Sync + 'a;
