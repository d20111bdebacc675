//! `ksplat qr`: decodes the log in the QR code of DRM's panic screen.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

/// Addresses of one log, made by zlib with the kernel's window of 14 bits and the two encodings of
/// digits: of Linux 6.12, and of Linux 6.15.
const URLS: [&str; 2] = [
    "https://panic.example/report?a=x86_64&v=6.17.0&zl=\
     335566142414529216641057396375620119544726371750533301940723797627553505756846906614\
     656853902342347627768030441024684439057607133836677033004388019074546384795372772500\
     299311173233094577231154546544010395014947577756533237444696442537797945621550535297\
     714142941259223062875498223873105541426057170052738212246554682051297589258040175541\
     325781857920582757204037487143697503521518950131078834882209153908926535065571522209\
     782264201070454856457906405751301460755661867216743929761186536336940948304980233059\
     359538010991331817457525740921235414353254934641288376535584124363794138349861332856\
     377842543684161950685562212875034994604566297583692373985950132952887251583034660863\
     565640323971665119862283351941710888751839377937240327017674424016184840155552051173\
     244500605697511117403897567843567003450035496427199756900921470427733669807039993378\
     578121852823003720751943405939437396664876715936407840901388532217134493732739163286\
     1820724263565379686727304949533375351909484436",
    "https://panic.example/report?a=x86_64&v=6.17.0&z=\
     549699359640039440099669842415212829953366512914877076945563064751392896902245852657\
     251407031152255394259724688555861104323818510280352808579989045777097276103236096535\
     352836495854789178102557753097497218451927892050110334417456054381889837969690977816\
     099534742344632387051056152143750633828820823140286613374833694588488756530149167099\
     983928976270444533470665653343974894231859648957346710470739401579049312186220961678\
     801766116787718618391249119622110990752471844611244329204830786116384245970684138369\
     306031454498199737173093847045070806327831265611092756310244853913426616615701652111\
     117012844818382405356659708476841648566322093859610964148326814550709578126505588737\
     806673120768332161699939349844095184426951417138919645654184680656334192965850588114\
     482497332310826564501143343066741418816645056951589282855284120124951702094712899586\
     324231514444976596236074647705974329638245266251426067948471563644988347628879239843\
     902862267744847904710264993309403",
];

/// Standard output, standard error, exit status.
fn qr(args: &[&str], input: &str) -> (String, String, i32) {
    let output = common::run(common::ksplat().arg("qr").args(args), input.as_bytes());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

#[test]
fn a_log_is_read_from_either_form() {
    let title = "BUG: unable to handle kernel NULL pointer dereference in cm_ring_peek";
    for url in URLS {
        let (out, err, status) = qr(&[url], "");
        assert_eq!((err.as_str(), status), ("", 1));
        assert!(out.starts_with(title), "{out}");
        assert!(out.contains("cm_ctl_read"), "{out}");
        // A reader of QR codes ends the address with a line feed.
        assert_eq!(qr(&[], &format!("{url}\n")), (out.clone(), String::new(), 1));
        let (json, _, status) = qr(&["--format", "jsonl", "-"], url);
        assert_eq!(status, 1);
        assert!(json.contains(&format!("\"title\":\"{title}\"")), "{json}");
    }
}

#[test]
fn invalid_addresses_are_reported_in_one_line() {
    let [old, new] = URLS;
    for (url, want) in [
        ("https://panic.example/report", "has no parameter `z` or `zl`"),
        ("https://panic.example/report?a=x86_64&z=12x", "invalid characters"),
        (&new[..new.len() - 20], "is cut off or damaged"),
        (&old[..old.len() - 4], "is cut off or damaged"),
        (&"1".repeat(1 << 20), "is longer than any QR code"),
    ] {
        for (args, input) in
            [(vec![], url)].into_iter().chain((url.len() < 4096).then(|| (vec![url], "")))
        {
            let (out, err, status) = qr(&args, input);
            assert_eq!((out.as_str(), status), ("", 2), "{err}");
            assert!(err.starts_with("ksplat: qr: ") && err.contains(want), "{err}");
            assert_eq!(err.lines().count(), 1, "{err}");
        }
    }
}
