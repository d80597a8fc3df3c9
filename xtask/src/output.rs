//! Writes all output of commands.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use query_budget_analysis::render::{Style, inert};

use crate::args::Color;
use crate::failure::Failure;

/// Standard output. A reader that goes away (`| head`) is not an error: the command ends with its regular
/// exit code.
pub(crate) struct Output {
    writer: BufWriter<StdoutLock<'static>>,
    gone: bool,
    style: Style,
}

impl Output {
    /// Standard output, coloured if requested or if it is a terminal that supports it.
    pub(crate) fn new(color: Color) -> Output {
        let stdout = io::stdout().lock();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        Output { writer: BufWriter::new(stdout), gone: false, style: Style { color } }
    }

    /// Whether a person reads it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.writer.get_ref().is_terminal()
    }

    /// The style of findings.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Writes one or more lines, making untrusted content harmless.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) -> Result<(), Failure> {
        let line = inert(line.as_ref(), self.style.color);
        self.write(|writer| writeln!(writer, "{line}"))
    }

    /// Writes a line verbatim: a workflow command, or a file.
    pub(crate) fn exact(&mut self, line: impl AsRef<str>) -> Result<(), Failure> {
        let line = line.as_ref();
        self.write(|writer| writeln!(writer, "{line}"))
    }

    /// Writes lines to standard error, beside output that a program parses, making untrusted content harmless. A reader
    /// that has gone away is not an error.
    pub(crate) fn aside(&self, line: impl AsRef<str>) {
        let _ = writeln!(io::stderr(), "{}", inert(line.as_ref(), false));
    }

    /// Writes buffered output.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.write(Write::flush)
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if self.gone {
            return Ok(());
        }
        match write(&mut self.writer) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            Err(error) => Err(Failure::new("write the report").because(error)),
            Ok(()) => Ok(()),
        }
    }
}
