//! Annotation of reports: instructions, the explanation of the trap, source lines, and suspects.

use crate::atlas::Atlas;
use crate::disasm::{self, Syntax};
use crate::explain::{self, RegisterMeaning};
use crate::model::Report;
use crate::suspects;
#[cfg(feature = "symbolize")]
use crate::symbolize::Symbolizer;

/// Annotates reports: decodes their code, explains the trap, resolves frames with images, and ranks
/// the suspects.
///
/// An analyzer holds options, images and an atlas only, and annotates any number of reports.
///
/// # Examples
///
/// ```
/// use ksplat::Analyzer;
///
/// let log = b"BUG: kernel NULL pointer dereference, address: 0000000000000068\n\
///             #PF: supervisor write access in kernel mode\nRIP: 0010:cm_route_update+0x15/0x20\n\
///             Code: 48 8b 87 88 00 00 00 <48> 89 50 68 c3\n\
///             RAX: 0000000000000000 RDX: 00000000fffee1d9 RDI: ffff8df1c28e1b40\n\
///             CR2: 0000000000000068\n";
/// let mut report = ksplat::reports(log).next().expect("a report");
/// Analyzer::new().annotate(&mut report);
/// let code = report.code.expect("code bytes");
/// assert_eq!(code.instructions[1].text, "mov %rdx,0x68(%rax)");
/// let explanation = report.explanation.expect("an explanation");
/// assert_eq!(
///     explanation.summary,
///     "writes 8 bytes at 0x0000000000000068, NULL pointer + 0x68"
/// );
/// let step = explanation.steps[0].kind.to_string();
/// assert_eq!(step, "%rax was loaded from 0x88(%rdi), %rdi = 0xffff8df1c28e1b40");
/// ```
#[derive(Debug)]
pub struct Analyzer<'data> {
    syntax: Syntax,
    skips_text: bool,
    /// `None` if no suspects are wanted.
    atlas: Option<Atlas<'data>>,
    #[cfg(feature = "symbolize")]
    symbolizer: Option<Symbolizer<'data>>,
}

impl Default for Analyzer<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'data> Analyzer<'data> {
    /// Makes an analyzer without images that writes instructions in AT&T syntax.
    pub fn new() -> Self {
        Self::of_atlas(Atlas::builtin())
    }

    /// The same with another atlas. A program that calls no function with the built-in one does not contain it.
    pub fn of_atlas(atlas: Atlas<'data>) -> Self {
        Self {
            syntax: Syntax::Att,
            skips_text: false,
            atlas: Some(atlas),
            #[cfg(feature = "symbolize")]
            symbolizer: None,
        }
    }

    /// Sets the syntax of x86 instructions and operands.
    #[must_use]
    pub fn with_syntax(self, syntax: Syntax) -> Self {
        Self { syntax, ..self }
    }

    /// Leaves [`Code::instructions`](crate::model::Code::instructions) empty, for callers that need
    /// only the explanation, such as those that make signatures.
    #[must_use]
    pub fn without_instructions(self) -> Self {
        Self { skips_text: true, ..self }
    }

    /// Sets the atlas that maps the functions of suspects to files; [`Atlas::builtin`] by default.
    #[must_use]
    pub fn with_atlas(self, atlas: Atlas<'data>) -> Self {
        Self { atlas: Some(atlas), ..self }
    }

    /// Leaves [`Report::suspects`](crate::Report::suspects) empty, for callers that need no suspects,
    /// or rank them later with [`suspects::annotate`].
    #[must_use]
    pub fn without_suspects(self) -> Self {
        Self { atlas: None, ..self }
    }

    /// Fills in [`Code::instructions`](crate::model::Code::instructions) and
    /// [`Report::explanation`](crate::Report::explanation). With a symbolizer it also fills in
    /// files, lines, inlined functions and [`Report::image_check`](crate::Report::image_check). At last
    /// it fills in [`Report::suspects`](crate::Report::suspects) and what follows from them: see
    /// [`suspects::annotate`].
    ///
    /// A field stays empty if the report lacks the code or registers for it. Annotate a report once
    /// with a symbolizer: the image check compares functions as the log has them, before inlined
    /// ones are added.
    pub fn annotate(&self, report: &mut Report<'_>) {
        if !self.skips_text {
            disasm::annotate(report, self.syntax);
        }
        explain::annotate(report, self.syntax);
        #[cfg(feature = "symbolize")]
        if let Some(symbolizer) = &self.symbolizer {
            symbolizer.annotate(report);
        }
        if let Some(atlas) = self.atlas {
            suspects::annotate(report, atlas);
        }
    }

    /// What the registers of a report hold, each value read as an address: a NULL pointer, an address of user
    /// space, a poison pattern. A register that holds a number has the class of that number. Empty if the
    /// architecture is unknown.
    pub fn registers(report: &Report<'_>) -> Vec<RegisterMeaning> {
        explain::registers(report)
    }

    /// Resolves frames, and names the accessed variable, with the images of a kernel.
    #[cfg(feature = "symbolize")]
    #[must_use]
    pub fn with_symbolizer(self, symbolizer: Symbolizer<'data>) -> Self {
        Self { symbolizer: Some(symbolizer), ..self }
    }
}
