//! Data, styles and scripts inside the page, so that nothing in them can end their element or
//! run.

use super::text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write;

/// A data block that scripts read by its id. The browser never executes it, and as `<`, `>`, `&`
/// and whatever is invisible are escapes of JSON, no `</script>` or `<!--` can appear in it.
pub(crate) fn json(id: &str, value: &impl Serialize) -> Markup {
    // What is embedded are plain maps, lists, strings and numbers: these have a JSON form.
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".into());
    html! { script id=(id) type="application/json" { (PreEscaped(escape(&text))) } }
}

fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            c if text::hides(c) && c != '\n' => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// Bytes as a data block: deflated, in base64.
pub(super) fn bytes(id: &str, bytes: &[u8]) -> Markup {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail; were it to, the page would show no timeline.
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default();
    html! { script id=(id) type="text/plain" { (PreEscaped(STANDARD.encode(packed))) } }
}

/// The source expression by which a content security policy allows exactly this inline text.
pub(crate) fn csp_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element() {
        let value = "</script><!--<script>&amp;\u{2028}";
        let markup = json("x", &value).into_string();
        let inner = markup
            .strip_prefix("<script id=\"x\" type=\"application/json\">")
            .and_then(|rest| rest.strip_suffix("</script>"))
            .unwrap();
        assert!(!inner.contains(['<', '>', '&', '\u{2028}']));
        assert_eq!(serde_json::from_str::<String>(inner).unwrap(), value);
    }

    #[test]
    fn the_hash_is_the_one_that_browsers_compute() {
        // The example of the CSP specification, section 8.3.
        let expected = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        assert_eq!(csp_hash("alert('Hello, world.');"), expected);
    }
}
