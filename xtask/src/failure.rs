//! Why a command cannot run: a usage or input error, shown as `error: failed to …`, exit code 2.

use std::fmt;

use query_budget_analysis::project::ReadError;

/// A usage or input error.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Option<String>,
    source: Option<Box<dyn std::error::Error>>,
}

impl Failure {
    /// A failure whose message fits "failed to {message}".
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None, source: None }
    }

    /// The failure to connect to a database, in a binary that cannot.
    #[cfg(not(feature = "live"))]
    pub(crate) fn not_live() -> Failure {
        Failure::new("connect to a database: this binary was built without the feature `live`")
    }

    /// Adds a remedy.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// Adds the underlying error.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error>>) -> Failure {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {}", self.message)?;
        let mut source = self.source.as_deref();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        Failure::new(error.to_string())
    }
}
