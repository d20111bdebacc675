//! What few logs need, for the page in `web/`: it makes this module when the first of them comes.

mod unpack;

use ksplat::disasm::remote;
use ksplat::qr;
use wasm_bindgen::prelude::*;

/// Unpacks a log that is packed by gzip, xz or zstd; other bytes are returned as they are.
///
/// # Errors
///
/// The bytes are damaged, or unpack to more than `most` bytes: the end of a sentence.
#[wasm_bindgen]
pub fn unpack(bytes: Vec<u8>, most: usize) -> Result<Vec<u8>, JsError> {
    unpack::whole(bytes, most).map_err(|error| JsError::new(&error))
}

/// Decodes code that is not of x86, for the module that reads logs.
#[wasm_bindgen]
pub fn decode(question: &[u8]) -> Vec<u8> {
    remote::answer(question)
}

/// The log in the address of a panic screen's QR code.
///
/// # Errors
///
/// The address has none, or it is damaged.
#[wasm_bindgen]
pub fn panic_log(url: &str) -> Result<Vec<u8>, JsError> {
    qr::log(url.as_bytes()).map_err(|error| JsError::new(&error.to_string()))
}
