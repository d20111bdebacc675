//! The reader of crash reports for the page in `web/`: bytes in, the JSON and the text of the library out.
//!
//! The functions run in a worker of the page. [`read`] gives each report to `found`, a function of that worker, when
//! it is read, so that the first is shown before the last is found.

use std::cell::{Cell, RefCell};

use ksplat::Analyzer;
use ksplat::atlas::Atlas;
use ksplat::bisect::{self, AuditOptions};
use ksplat::cluster::{Index, Link, Observation, Parted};
use ksplat::disasm::remote;
use ksplat::encoding::{self, Encoding};
use ksplat::fingerprint::Signature;
use ksplat::output::Repeats;
use ksplat::output::json::{self, AuditRecord, ReportRecord};
use ksplat::output::text::TextOptions;
use ksplat::output::{audit as audits, escape, markdown, text};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Takes a report: its JSON, as the program prints it; its text and Markdown; the meanings of its registers, as
    /// JSON; and the offset of its end in the log.
    #[wasm_bindgen(js_namespace = globalThis)]
    fn found(json: &str, text: &str, markdown: &str, registers: &str, end: f64);

    /// Takes the offset of the end of a report that is not given to `found`.
    #[wasm_bindgen(js_namespace = globalThis)]
    fn passed(end: f64);

    /// Takes code to `decode` of the module in `rare/`.
    #[wasm_bindgen(js_namespace = globalThis)]
    fn decode(question: &[u8]) -> Vec<u8>;
}

thread_local! {
    /// The atlas of the page, or the one that was opened last.
    static ATLAS: Cell<Option<Atlas<'static>>> = const { Cell::new(None) };
    /// The signatures of all reports that `found` was given, in their order.
    static SIGNATURES: RefCell<Vec<Signature<'static>>> = const { RefCell::new(Vec::new()) };
}

/// Reads `most` reports of a log from the report `first` on, and gives each to `found`. Returns the number of all.
///
/// # Errors
///
/// There is no atlas.
#[wasm_bindgen]
pub fn read(log: &[u8], file: &str, first: usize, most: usize) -> Result<usize, JsError> {
    let atlas = ATLAS.get().ok_or_else(|| JsError::new("is read without an atlas"))?;
    remote::use_decoders(decode);
    let analyzer = Analyzer::of_atlas(atlas);
    let mut repeats = Repeats::default();
    let shown = first..first.saturating_add(most);
    let mut all = 0;
    for (index, mut report) in ksplat::reports(log).enumerate() {
        all = index + 1;
        #[expect(clippy::cast_precision_loss, reason = "a log has less than 2^53 bytes")]
        let end = report.span.end as f64;
        let is_shown = shown.contains(&index);
        if is_shown {
            analyzer.annotate(&mut report);
        }
        let number = Some(repeats.number(&report)).filter(|number| *number > 1);
        if !is_shown {
            passed(end);
            continue;
        }
        let (mut page, mut mail) = (String::new(), String::new());
        let options = TextOptions::default().with_all(true);
        text::write(&mut page, file, &report, options)?;
        markdown::write(&mut mail, file, &report, TextOptions::default())?;
        let registers = json_of(&Analyzer::registers(&report))?;
        let signature = Signature::with_atlas(&report, atlas).into_owned();
        SIGNATURES.with_borrow_mut(|all| all.push(signature.clone()));
        let record = ReportRecord::new(file, index, report).with_occurrence(number);
        let mut bytes = Vec::new();
        json::write(&mut bytes, &record.with_signature(Some(signature)))?;
        found(&String::from_utf8(bytes)?, &page, &mail, &registers, end);
    }
    Ok(all)
}

/// Compares two reports by their signatures, given by their numbers: `found` was given the first report as number 0.
///
/// # Errors
///
/// There is no such report.
#[wasm_bindgen]
pub fn compare(one: usize, other: usize) -> Result<String, JsError> {
    let mut index = Index::new();
    let mut add = |number: usize| {
        SIGNATURES.with_borrow(|all| {
            let signature = all.get(number).ok_or_else(|| JsError::new("the report is gone"))?;
            Ok::<_, JsError>(index.add(signature, Observation { time: None, count: 1 }))
        })
    };
    let (a, b) = (add(one)?, add(other)?);
    let links = index.why(a, b);
    let found = index.compare(a, b);
    json_of(&Comparison {
        same: links.is_some(),
        links: links.unwrap_or_default().iter().map(Reason::from).collect(),
        parted: index.why_apart(a, b),
        score: found.as_ref().map(|found| found.score),
        features: found.map(|found| found.features).unwrap_or_default(),
    })
}

/// Whether two reports are of one bug, and why.
#[derive(serde::Serialize)]
struct Comparison {
    same: bool,
    links: Vec<Reason>,
    parted: Vec<Parted>,
    score: Option<f32>,
    features: Vec<(ksplat::cluster::Feature, f32)>,
}

/// A rule that links reports.
#[derive(serde::Serialize)]
struct Reason {
    how: &'static str,
    score: f32,
    evidence: String,
}

impl From<&Link> for Reason {
    fn from(link: &Link) -> Self {
        Self { how: link.how.name(), score: link.score, evidence: link.evidence.clone() }
    }
}

/// Whether a log is that of a bisection.
#[wasm_bindgen]
pub fn is_bisection(log: &[u8]) -> bool {
    bisect::parse(log).is_ok()
}

/// Audits a bisection: its JSON, as the program prints it, or its text.
///
/// # Errors
///
/// The log is not that of a bisection.
#[wasm_bindgen]
pub fn audit(log: &[u8], file: &str, as_text: bool) -> Result<String, JsError> {
    let bisection = bisect::parse(log)?;
    let audit = bisect::audit(&bisection, AuditOptions::default());
    if as_text {
        let mut page = String::new();
        audits::write(&mut page, file, &audit, TextOptions::default())?;
        return Ok(page);
    }
    let mut bytes = Vec::new();
    json::write_audit(&mut bytes, &AuditRecord::new(file, audit))?;
    Ok(String::from_utf8(bytes)?)
}

/// Converts a log in UTF-16; other text is returned as it is.
///
/// # Errors
///
/// The bytes are not text.
#[wasm_bindgen]
pub fn console(log: Vec<u8>) -> Result<Vec<u8>, JsError> {
    match encoding::of(log.get(..encoding::SAMPLE).unwrap_or(&log)).map_err(JsError::new)? {
        Encoding::Bytes => Ok(log),
        utf16 => Ok(encoding::utf8(&log, utf16).into_owned()),
    }
}

/// Looks functions up in an atlas from now on, `src/atlas/linux.atlas` or a file of `ksplat atlas build`. It stays in
/// memory.
///
/// # Errors
///
/// The bytes are not an atlas.
#[wasm_bindgen]
pub fn use_atlas(bytes: Vec<u8>) -> Result<(), JsError> {
    let atlas = Atlas::read(Vec::leak(bytes))?;
    ATLAS.set(Some(atlas));
    Ok(())
}

/// The text with invisible and control characters as escapes, of bytes in any encoding: lines of a log.
#[wasm_bindgen]
pub fn lines(bytes: &[u8]) -> String {
    bytes.split(|b| *b == b'\n').fold(String::with_capacity(bytes.len()), |mut text, line| {
        text.push_str(&escape::text(line.strip_suffix(b"\r").unwrap_or(line)));
        text.push('\n');
        text
    })
}

fn json_of(value: &impl serde::Serialize) -> Result<String, JsError> {
    let mut bytes = Vec::new();
    json::write_value(&mut bytes, value)?;
    Ok(String::from_utf8(bytes)?)
}
