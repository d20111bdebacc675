//! `ksplat qr`: decodes the log in the address of the QR code of DRM's panic screen.

use std::io;

use crate::args::Qr;
use crate::input::{self, Input};
use crate::logs;
use crate::parse::{self, Reports};
use crate::ui::{Status, report_error};
use ksplat::qr::{MAX_URL, log};

/// `ksplat qr`.
pub(crate) fn qr(args: &Qr) -> io::Result<Status> {
    let url = match args.url.as_deref().filter(|url| *url != "-") {
        Some(url) => Ok(url.as_bytes().to_vec()),
        None => input::some(MAX_URL + 1),
    };
    let bytes = match url {
        Ok(url) => match log(&url) {
            Ok(bytes) => bytes,
            Err(error) => {
                report_error("qr", &error);
                return Ok(Status::Unusable);
            }
        },
        Err(error) => {
            report_error("-", &error);
            return Ok(Status::Unusable);
        }
    };
    let known = match parse::asked(&args.reports) {
        Ok(known) => known,
        Err(status) => return Ok(status),
    };
    let job = Reports { known: known.as_ref(), ..Reports::of(&args.reports) };
    let (images, format) = (&args.reports.images, args.format);
    logs::run_bytes(&job, "qr", Input::Read(bytes), images, format.into())
}
